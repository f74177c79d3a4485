"""A model that several processes share (FSDP2): each reads and keeps its own rows of every weight, and has whole only
the layers that it is computing with.

Accelerate's own preparation for FSDP2 is not used: it has rank 0 read the whole model and send every weight to all.
"""

import json
import math
from pathlib import Path

import torch
from accelerate import init_empty_weights
from huggingface_hub import snapshot_download
from safetensors import safe_open
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Replicate
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.modeling_layers import GradientCheckpointingLayer

INDEX_FILE = "model.safetensors.index.json"
MODEL_FILE = "model.safetensors"


class Missing(Exception):
    """What files do not have of a model, in words."""


def empty_model(model: str, revision: str, dtype: torch.dtype) -> torch.nn.Module:
    """A model of transformers whose weights have no memory yet; what is no weight of its files is there."""
    config = AutoConfig.from_pretrained(model, revision=revision, trust_remote_code=False)
    with init_empty_weights(include_buffers=False):
        base = AutoModelForCausalLM.from_config(config, dtype=dtype, trust_remote_code=False)
    # Emptied one by one, weights that are the same have become two.
    base.tie_weights()
    return base


def shard(model: torch.nn.Module, mesh: torch.distributed.DeviceMesh) -> None:
    """Divides the weights of an empty model by rows, among the processes of `mesh`: each layer is one unit, and what
    is around the layers another one."""
    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer):
            fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)


def fill(model: torch.nn.Module, source: str, revision: str, prefix: str, adapter_file: Path) -> None:
    """Reads this process's rows of all weights of a divided model of PEFT: those of the base from its folder or from
    the Hugging Face Hub, where names may lack `prefix`, and those of the adapter from its file."""
    files = _files(source, revision)
    rows = {}
    for name, weight in model.named_parameters():
        if ".lora_" in name:
            rows[weight] = _own_rows(adapter_file, name.replace(".default.", "."), weight)
            continue
        of_base = name.removeprefix("base_model.model.").replace(".base_layer.", ".")
        stored = next((each for each in (of_base, of_base.removeprefix(f"{prefix}.")) if each in files), None)
        if stored is None:
            raise Missing(f"no file of it has {of_base}")
        rows[weight] = _own_rows(files[stored], stored, weight)
    # Weights that are the same stay so: each is there by all of its names.
    state = {name: rows[weight] for name, weight in model.named_parameters(remove_duplicate=False)}
    model.load_state_dict(state, strict=False, assign=True)


def like(whole: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """A tensor that all processes have, divided as a weight of its shape is."""
    if not isinstance(weight, DTensor):
        return whole.to(weight.device)
    start, count = _share(weight)
    return _divided(whole[start : start + count].to(weight.device), weight)


def beside(whole: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """A tensor that all processes have, to compute with a weight that may be divided."""
    if not isinstance(weight, DTensor):
        return whole.to(weight.device)
    return DTensor.from_local(whole.to(weight.device), weight.device_mesh, [Replicate()], run_check=False)


def gathered(tensor: torch.Tensor) -> torch.Tensor:
    """All of a tensor that may be divided; then all processes have to ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _share(weight: DTensor) -> tuple:
    """First row and number of rows that this process has."""
    rows_of_each = math.ceil(weight.shape[0] / weight.device_mesh.size())
    start = min(weight.device_mesh.get_local_rank() * rows_of_each, weight.shape[0])
    return start, weight.to_local().shape[0]


def _divided(rows: torch.Tensor, weight: DTensor) -> DTensor:
    return DTensor.from_local(
        rows, weight.device_mesh, weight.placements, run_check=False, shape=weight.shape, stride=weight.stride()
    )


def _own_rows(file: Path, name: str, weight: DTensor) -> torch.nn.Parameter:
    start, count = _share(weight)
    # What was read of a file that stays open would be resident beside what is made of it.
    with safe_open(file, framework="pt") as opened:
        stored = opened.get_slice(name)
        shape = tuple(stored.get_shape())
        if shape != tuple(weight.shape):
            raise Missing(f"{name} has the shape {shape} there, and {tuple(weight.shape)} in transformers")
        rows = stored[start : start + count].to(weight.device_mesh.device_type, weight.dtype, copy=True)
    return torch.nn.Parameter(_divided(rows, weight), requires_grad=weight.requires_grad)


def _files(source: str, revision: str) -> dict:
    """The files of a model by the names of the weights that they hold."""
    folder = Path(source)
    if not folder.is_dir():
        folder = Path(snapshot_download(source, revision=revision, allow_patterns=["model*.safetensors", INDEX_FILE]))
    index = folder / INDEX_FILE
    if index.exists():
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        return {name: folder / file for name, file in names.items()}
    with safe_open(folder / MODEL_FILE, framework="pt") as opened:
        return {name: folder / MODEL_FILE for name in opened.keys()}
