"""Steps of PEFT's LoRA-FA on the weights and batches of a benchmark row; prints one line of JSON.

Usage: peft_step.py REQUEST, where REQUEST is JSON with the keys that `peft-program.ts` gives.
"""

import json
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from peft.optimizers import create_lorafa_optimizer
from transformers import AutoModelForCausalLM

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def memory(file: str, field: str) -> int | None:
    """A field of this process's memory in bytes; None where the system has none."""
    try:
        with open(file, encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return None


def main() -> None:
    request = json.loads(sys.argv[1])
    torch.manual_seed(0)
    precision = request["precision"]
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(request["model"], dtype=dtype)
    model.config.use_cache = False
    if request["gradientCheckpointing"]:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    lora = LoraConfig(
        r=request["r"],
        lora_alpha=request["loraAlpha"],
        target_modules=LINEAR,
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )
    # Adapters are float32 in every precision, as PEFT makes them unless told otherwise.
    model = get_peft_model(model, lora)
    optimizer = create_lorafa_optimizer(
        model,
        r=request["r"],
        lora_alpha=request["loraAlpha"],
        lr=request["learningRate"],
        weight_decay=0.01,
    )
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.train()
    ids = torch.tensor(request["inputIds"])
    step_ms, losses, peak_rss, pss = [], [], [], []
    for _ in range(request["steps"]):
        began = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision != "float32"):
            # Labels equal to the inputs: every token but the first is learned, as in the engine's rows.
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        step_ms.append(1000 * (time.perf_counter() - began))
        peak_rss.append(memory("/proc/self/status", "VmHWM"))
        pss.append(memory("/proc/self/smaps_rollup", "Pss"))
    print(
        json.dumps(
            {
                "stepMs": step_ms,
                "losses": losses,
                "peakRss": [size for size in peak_rss if size is not None],
                "pss": [size for size in pss if size is not None],
                "tokens": [ids.numel()] * request["steps"],
            }
        )
    )


main()
