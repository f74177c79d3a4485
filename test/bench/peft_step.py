"""Steps of PEFT's LoRA-FA or LoRA on the batches of a measurement, or how far its first gradients are from those
in float32; prints one line of JSON.

Usage: peft_step.py REQUEST, where REQUEST is JSON with the keys that `peft-program.ts` gives.
"""

import json
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from peft.optimizers import create_lorafa_optimizer
from transformers import AutoConfig, AutoModelForCausalLM

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def memory(file: str, field: str) -> int | None:
    """A field of this process's memory in bytes; None where the system has none."""
    try:
        with open(file, encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
    except (OSError, StopIteration):
        return None


def base(request: dict, precision: str):
    """The model of a folder, or of a config.json with random weights that are made where they stay."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    if isinstance(request["model"], str):
        return AutoModelForCausalLM.from_pretrained(request["model"], dtype=dtype)
    with torch.device(request["device"]):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**request["model"]), dtype=dtype)
    if request["isNf4"]:
        quantize(model, dtype, request["device"])
    return model


def quantize(model, dtype: torch.dtype, device: str) -> None:
    """Puts linear layers into NF4, as loading a file with a BitsAndBytesConfig does."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    nf4 = {"quant_type": "nf4", "compress_statistics": False}
    for name, linear in list(model.named_modules()):
        place, _, leaf = name.rpartition(".")
        if leaf not in LINEAR:
            continue
        layer = Linear4bit(linear.in_features, linear.out_features, bias=False, compute_dtype=dtype, device="meta", **nf4)
        layer.weight = Params4bit(linear.weight.data, requires_grad=False, **nf4)
        setattr(model.get_submodule(place), leaf, layer.to(device))
    # By which PEFT knows such a model.
    model.is_loaded_in_4bit = True
    if device == "cuda":
        torch.cuda.empty_cache()


def adapted(request: dict, precision: str):
    """The model of a request with adapters, whose A are the same in every precision."""
    torch.manual_seed(0)
    model = base(request, precision)
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
    return get_peft_model(model, lora).train().to(request["device"])


def backward(model, request: dict, precision: str):
    """The loss of the request's batch, whose gradients are added to the model's."""
    ids = torch.tensor(request["inputIds"], device=request["device"])
    with torch.autocast(request["device"], dtype=torch.bfloat16, enabled=precision != "float32"):
        # Labels equal to the inputs: every token but the first is learned, as in the engine's rows.
        loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    return loss


def first_gradients(request: dict, precision: str) -> dict:
    model = adapted(request, precision)
    backward(model, request, precision)
    return {name: p.grad.float() for name, p in model.named_parameters() if "lora_B" in name}


def gradient_error(request: dict) -> float:
    """The largest distance of the gradient of a B from that in float32, relative to its norm."""
    exact = first_gradients(request, "float32")
    rounded = first_gradients(request, request["precision"])
    return max(((rounded[name] - g).norm() / g.norm()).item() for name, g in exact.items())


def optimizer_of(model, request: dict):
    """That of the request's method; for LoRA-FA it freezes A."""
    rate = {"lr": request["learningRate"], "weight_decay": 0.01}
    if request["method"] == "lora":
        return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], **rate)
    return create_lorafa_optimizer(model, r=request["r"], lora_alpha=request["loraAlpha"], **rate)


def device_bytes(device: str) -> int | None:
    """Bytes of a GPU that are taken, which torch gives back to nobody before its end; None on a CPU."""
    if device != "cuda":
        return None
    free, total = torch.cuda.mem_get_info()
    return total - free


def steps(request: dict) -> dict:
    precision = request["precision"]
    model = adapted(request, precision)
    optimizer = optimizer_of(model, request)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    tokens = sum(len(row) for row in request["inputIds"])
    step_ms, losses, peak_rss, pss = [], [], [], []
    for _ in range(request["steps"]):
        began = time.perf_counter()
        loss = backward(model, request, precision)
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        step_ms.append(1000 * (time.perf_counter() - began))
        peak_rss.append(memory("/proc/self/status", "VmHWM"))
        pss.append(memory("/proc/self/smaps_rollup", "Pss"))
    return {
        "stepMs": step_ms,
        "losses": losses,
        "peakRss": [size for size in peak_rss if size is not None],
        "pss": [size for size in pss if size is not None],
        "tokens": [tokens] * request["steps"],
        "deviceBytes": device_bytes(request["device"]),
    }


def main() -> None:
    request = json.loads(sys.argv[1])
    measured = gradient_error(request) if request["measures"] == "gradients" else steps(request)
    print(json.dumps(measured))


main()
