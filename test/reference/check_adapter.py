"""Loads an adapter into its base model with PEFT, strictly, and prints what the model then computes.

    python check_adapter.py BASE ADAPTER [IDS.json]

BASE and ADAPTER are folders. IDS.json holds {"input_ids": [[...]], "attention_mask": [[...]]} (the mask is optional)
or the rows of token ids alone; without it, one row of eight ids is used. All arithmetic is float32.

Prints one JSON object {"matched", "total", "input_ids", "logits"}: `total` LoRA layers stand in the model that PEFT
built from adapter_config.json, `matched` of them took every tensor from the file. Exits with 1, and the names on
stderr, if the file lacks a tensor, holds one that has no place, or holds one of another shape.
"""

import json
import sys
from pathlib import Path

from reference import fix_numerics, load_model

import torch
from peft import PeftModel, get_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file


def read_batch(path: str | None, vocab_size: int) -> dict[str, torch.Tensor]:
    if path is None:
        return {"input_ids": (torch.arange(8) * 7 + 3).remainder(vocab_size).unsqueeze(0)}
    value = json.loads(Path(path).read_text(encoding="utf-8"))
    if isinstance(value, list):
        value = {"input_ids": value}
    return {key: torch.tensor(rows, dtype=torch.int64) for key, rows in value.items()}


def lora_layer_of(tensor_name: str) -> str:
    return tensor_name.rpartition(".lora_")[0]


def main(base: str, adapter: str, ids: str | None = None) -> None:
    fix_numerics()
    model = PeftModel.from_pretrained(load_model(Path(base)), adapter).eval()
    # PEFT only warns of missing tensors, so the loaded ones are compared with the file, name by name and bit by bit.
    stored = load_file(Path(adapter) / "adapter_model.safetensors")
    loaded = get_peft_model_state_dict(model)
    missing = sorted(loaded.keys() - stored.keys())
    unexpected = sorted(stored.keys() - loaded.keys())
    different = sorted(n for n in stored.keys() & loaded.keys() if not torch.equal(stored[n].float(), loaded[n].float()))
    layers = [name for name, module in model.named_modules() if isinstance(module, LoraLayer)]
    incomplete = {lora_layer_of(name) for name in (*missing, *different)}
    with torch.no_grad():
        batch = read_batch(ids, model.config.vocab_size)
        logits = model(**batch).logits
    result = {
        "matched": sum(name not in incomplete for name in layers),
        "total": len(layers),
        "input_ids": batch["input_ids"].tolist(),
        "logits": logits.tolist(),
    }
    print(json.dumps(result))
    if missing or unexpected or different:
        sys.exit(f"missing: {missing}\nunexpected: {unexpected}\ndifferent: {different}")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
