"""Experts as transformers 4 had them: a module with three linear layers for each, under the names that files have.

transformers 5 computes with all experts of a layer as two tensors, and PEFT adapts those as a whole: gate and up share
what is low-rank in them, and LoRA-FA's projection would be one of all experts together. Adapters here have a LoRA of its
own for each linear layer, which PEFT can load into transformers 5; that the modules below compute the same is checked.
"""

import torch
from torch import nn
from transformers import PreTrainedModel

# Attribute of a layer, then gate, up and down of an expert.
NAMES = {
    "mixtral": ("block_sparse_moe", ("w1", "w3", "w2")),
    "qwen3_moe": ("mlp", ("gate_proj", "up_proj", "down_proj")),
}


class Expert(nn.Module):
    def __init__(self, names: tuple[str, str, str], weights: list[torch.Tensor], activation: nn.Module) -> None:
        super().__init__()
        self.names = names
        self.act_fn = activation
        for name, weight in zip(names, weights, strict=True):
            linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=weight.dtype)
            linear.weight = nn.Parameter(weight.detach().clone())
            setattr(self, name, linear)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, up, down = (getattr(self, name) for name in self.names)
        return down(self.act_fn(gate(x)) * up(x))


class Experts(nn.ModuleList):
    def forward(self, hidden: torch.Tensor, indices: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        total = torch.zeros_like(hidden)
        # Those without a token, too, so that their gradients are zeros and no optimizer passes over them.
        for number, expert in enumerate(self):
            token, place = torch.where(indices == number)
            total = total.index_add(0, token, expert(hidden[token]) * weights[token, place, None])
        return total


def with_linear_experts(model: PreTrainedModel) -> PreTrainedModel:
    """The model with such modules; one without experts as it is."""
    if model.config.model_type not in NAMES:
        return model
    ids = torch.arange(16).remainder(model.config.vocab_size)[None]
    with torch.no_grad():
        expected = model(ids).logits
    attribute, names = NAMES[model.config.model_type]
    for layer in model.model.layers:
        fused = getattr(layer.mlp, "experts", None)
        if fused is None:
            continue
        layer.mlp.experts = Experts(
            Expert(names, [*gate_up.chunk(2), down], fused.act_fn)
            for gate_up, down in zip(fused.gate_up_proj, fused.down_proj, strict=True)
        )
        block = layer.mlp
        del layer.mlp
        setattr(layer, attribute, block)
        # The layer computes with what it calls `mlp`, which is not to be a module twice.
        object.__setattr__(layer, "mlp", block)
    # PEFT knows by this name that experts are tensors, which here they are not.
    model.config.model_type = f"{model.config.model_type}_with_linear_experts"
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, expected, rtol=1e-4, atol=1e-5)
    return model
