"""What memory two processes of the Accelerate backend take at their peak for a model that is nearly all frozen, beyond
what they had before they read it, and what they learn: each with the whole model, and sharing it."""

import json
import os
import sys
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

PROGRAM = sys.argv[1]
PROCESSES, RANK, STEPS = 2, 4, 3
# What is freed goes back to the system, so that its peak is that of what is held.
RETURNING = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}


def make_model(folder: Path, layers: int) -> dict:
    """Writes a model with the adapter that a run begins from; returns its bytes, and what a run is told of it."""
    torch.manual_seed(1)
    config = LlamaConfig(
        hidden_size=512, intermediate_size=1024, num_hidden_layers=layers, num_attention_heads=8,
        num_key_value_heads=8, vocab_size=512, tie_word_embeddings=False,
    )
    base = LlamaForCausalLM(config)
    base.save_pretrained(folder / "model")
    size = sum(weight.numel() * weight.element_size() for weight in base.parameters())
    model = get_peft_model(base, LoraConfig(r=RANK, lora_alpha=8, target_modules="all-linear"))
    start = folder / "start"
    model.save_pretrained(start)
    names = [name.replace(".default.", ".") for name, _ in model.named_parameters() if "lora_B" in name]
    save_file({name: torch.eye(RANK) for name in names}, start / "projections.safetensors")
    load = {
        "model": str(folder / "model"), "revision": None, "start": str(start), "steps": 0, "trained": names,
        "decayed": names, "method": "lorafa", "gradient_checkpointing": False, "betas": [0.9, 0.999], "eps": 1e-6,
        "weight_decay": 0.1, "max_grad_norm": 0.5,
    }
    return {"load": load, "size": size}


def of_memory(name: str) -> int:
    """Bytes that Linux says of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def compute(rank: int, folder: str, warm_up: dict, load: dict, distributed_type: str, results) -> None:
    sys.path.insert(0, PROGRAM)
    from trainer import Trainer

    # As whoever starts the program tells it.
    os.environ.update(RANK=f"{rank}", LOCAL_RANK=f"{rank}", WORLD_SIZE=f"{PROCESSES}", LOCAL_WORLD_SIZE=f"{PROCESSES}")
    torch.set_num_threads(1)
    trainer = Trainer(
        rank=rank, num_processes=PROCESSES, local_rank=rank, local_processes=PROCESSES, device="cpu",
        meeting={"init_method": f"file://{folder}/meeting-{distributed_type}"}, mixed_precision="no",
        distributed_type=distributed_type,
    )
    row = torch.arange(2, 34).tolist()
    batches = [{"input_ids": [row], "targets": [row[shift:] + row[:shift]], "seed": 1} for shift in (1, 2)]

    def numbers_of(model: dict) -> list:
        trainer.load(**model)
        steps = [trainer.step(batches=batches, supervised=64, learning_rate=1e-2) for _ in range(STEPS)]
        return [step[key] for step in steps for key in ("loss", "grad_norm")] + [trainer.evaluate(batches)["loss"] / 64]

    # What libraries load and keep when they are first used is no part of a model.
    numbers_of(warm_up)
    before = of_memory("VmRSS")
    # The peak begins anew.
    Path("/proc/self/clear_refs").write_text("5")
    numbers = numbers_of(load)
    results.put({"peak": of_memory("VmHWM") - before, "numbers": numbers})


def measure(folder: Path, warm_up: dict, load: dict, distributed_type: str) -> list:
    os.environ.update(RETURNING)
    results = torch.multiprocessing.get_context("spawn").SimpleQueue()
    arguments = (str(folder), warm_up, load, distributed_type, results)
    torch.multiprocessing.spawn(compute, arguments, nprocs=PROCESSES)
    return [results.get() for _ in range(PROCESSES)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        small, large = (make_model(Path(name) / f"{layers}", layers) for layers in (1, 24))
        found = {each: measure(Path(name), small["load"], large["load"], each) for each in ("ddp", "fsdp")}
    print(json.dumps({"size": large["size"], **found}))
