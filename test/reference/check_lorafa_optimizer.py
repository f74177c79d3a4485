"""Whether the LoRA-FA optimizer of the Accelerate backend makes the steps of PEFT's: the largest difference of any B
after each of ten steps, relative to its largest number. In float64, where PEFT's pseudo-inverse drops nothing."""

import json
import sys

import peft.optimizers.lorafa as reference
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer

sys.path.insert(0, sys.argv[1])
from lorafa import LoraFA

# Without autocast, see training.py.
reference.is_bf16_available = lambda: False

RANK, ALPHA, LEARNING_RATE, WEIGHT_DECAY = 4, 8, 1e-2, 0.1


def make_model() -> torch.nn.Module:
    torch.manual_seed(1)
    layers = torch.nn.Sequential(torch.nn.Linear(24, 32), torch.nn.Tanh(), torch.nn.Linear(32, 16))
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["0", "2"], rank_pattern={"2": 3}, use_rslora=True)
    return get_peft_model(layers, config).double()




def projection(a: torch.Tensor, scaling: float) -> torch.Tensor:
    return torch.linalg.inv(a @ a.T + 1e-8 * torch.eye(a.shape[0], dtype=a.dtype)) / scaling**2


theirs, ours = make_model(), make_model()
their_optimizer = reference.create_lorafa_optimizer(
    theirs, r=RANK, lora_alpha=ALPHA, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
)
layers = [layer for layer in ours.modules() if isinstance(layer, LoraLayer)]
for layer in layers:
    layer.lora_A["default"].weight.requires_grad_(False)
our_optimizer = LoraFA(
    [
        (layer.lora_B["default"].weight, projection(layer.lora_A["default"].weight.detach(), layer.scaling["default"]))
        for layer in layers
    ],
    betas=(0.9, 0.999),
    eps=1e-6,
    weight_decay=WEIGHT_DECAY,
)
for group in our_optimizer.param_groups:
    group["lr"] = LEARNING_RATE

differences = []
for step in range(10):
    inputs = torch.randn(8, 24, generator=torch.Generator().manual_seed(step)).double()
    for model, optimizer in ((theirs, their_optimizer), (ours, our_optimizer)):
        model(inputs).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    pairs = [
        (a.detach(), b.detach())
        for (name, a), (_, b) in zip(theirs.named_parameters(), ours.named_parameters(), strict=True)
        if "lora_B" in name
    ]
    differences.append(max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs))
print(json.dumps({"differences": differences}))
