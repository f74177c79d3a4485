"""Continues prompts with transformers, and with PEFT where there is an adapter, from folders that were exported.

    python check_transformers.py < TASKS

TASKS is `[{folder, adapter, prompt, count}]` with a folder for the adapter, where there is any; what is printed is
`[tokens]`: the likeliest ones after those of the prompt, up to an end. All arithmetic is float32.
"""

import json
import sys
from pathlib import Path

from reference import fix_numerics, load_model

import torch
from peft import PeftModel


@torch.no_grad()
def go_on(folder, prompt, count, adapter=None):
    model = load_model(Path(folder))
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter).eval()
    answer = model.generate(
        input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
        do_sample=False, max_new_tokens=count,
    )
    return answer[0, len(prompt) :].tolist()


if __name__ == "__main__":
    fix_numerics()
    print(json.dumps([go_on(**task) for task in json.load(sys.stdin)]))
