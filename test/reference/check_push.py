"""Downloads what was pushed to a hub (HF_ENDPOINT) and says what arrived; or pushes a folder there itself.

check_push.py fetch REPOSITORY FOLDER   downloads it into FOLDER, reads its card, and loads the adapter with PEFT
                                        onto the base model BASE, if that is given as a fourth argument
check_push.py push REPOSITORY FOLDER    what huggingface_hub itself does with the folder (HF_HUB_DISABLE_XET=1: the
                                        way that the project takes)
"""

import json
import sys

from huggingface_hub import HfApi, ModelCard, snapshot_download


def fetch(repository: str, folder: str, base: str | None) -> dict:
    place = snapshot_download(repository, local_dir=folder)
    card = ModelCard.load(f"{place}/README.md")
    answer = {"card": card.data.to_dict()}
    if base is not None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        ids = torch.tensor([[1, 2, 3]])
        before = model(ids).logits
        after = PeftModel.from_pretrained(model, repository)(ids).logits
        answer["changes"] = bool((before - after).abs().max() > 0)
    return answer


def push(repository: str, folder: str) -> dict:
    api = HfApi()
    api.create_repo(repository, private=True)
    return {"commit": api.upload_folder(repo_id=repository, folder_path=folder).oid}


task, repository, folder, *base = sys.argv[1:]
print(json.dumps(push(repository, folder) if task == "push" else fetch(repository, folder, *(base or [None]))))
