"""golden/optimizers/: twenty updates of the two optimizers from given gradients, without a model.

Gradients of a model are of one size, more or less, and hide what epsilon does. These reach from 1e-10 to 1, begin with
zeros for one tensor (as those of A do while B is zero), and are clipped in some steps.
"""

import torch
from peft.optimizers.lorafa import LoraFAOptimizer
from safetensors.torch import save_file
from torch import nn

from reference import GOLDEN, generator, make_trainer, relative_error, write_json

OPTIMIZERS = GOLDEN / "optimizers"
STEPS = 20
PEAK = 0.02
WEIGHT_DECAY = 0.5
MAX_GRAD_NORM = 1.0
# The Trainer lets all of these decay but the bias and the norm.
SHAPES = {
    "q_proj.weight": (6, 4),
    "lora_A.weight": (3, 4),
    "lora_B.weight": (6, 3),
    "q_proj.bias": (6,),
    "input_layernorm.weight": (4,),
}
ZERO_AT_FIRST = "lora_A.weight"


class Tensors(nn.Module):
    """Nothing but parameters under the names above."""

    def __init__(self, initial: dict[str, torch.Tensor]) -> None:
        super().__init__()
        for name, values in initial.items():
            module, _, key = name.partition(".")
            if not hasattr(self, module):
                self.add_module(module, nn.Module())
            self.get_submodule(module).register_parameter(key, nn.Parameter(values.clone()))


def trainers_optimizer(model: Tensors) -> torch.optim.Optimizer:
    return make_trainer(model, learning_rate=PEAK, weight_decay=WEIGHT_DECAY).create_optimizer()


def lorafa_optimizer(model: Tensors) -> torch.optim.Optimizer:
    """LoRA-FA's optimizer. Under names without "lora" nothing is projected: golden/training shows that."""
    named = dict(model.named_parameters())
    group = {
        "params": list(named.values()),
        "names": [name.replace("lora", "adapter") for name in named],
        "scaling_factors": [None] * len(named),
    }
    return LoraFAOptimizer([group], lr=PEAK, weight_decay=WEIGHT_DECAY)


def make_gradients() -> dict[str, torch.Tensor]:
    source = generator(301)
    gradients = {}
    for name, shape in SHAPES.items():
        size = 10 ** torch.empty(shape).uniform_(-10, 0, generator=source)
        gradients[name] = size * torch.empty(STEPS, *shape).normal_(generator=source)
    gradients[ZERO_AT_FIRST][:3] = 0
    return gradients


def updated(
    make, initial: dict[str, torch.Tensor], gradients: dict[str, torch.Tensor], dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """Every tensor after every update."""
    model = Tensors({name: values.to(dtype) for name, values in initial.items()})
    optimizer = make(model)
    after = {name: [] for name in SHAPES}
    for step in range(STEPS):
        for name, parameter in model.named_parameters():
            parameter.grad = gradients[name][step].to(dtype)
        nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        for group in optimizer.param_groups:
            group["lr"] = PEAK * (step + 1) / STEPS
        optimizer.step()
        for name, parameter in model.named_parameters():
            after[name].append(parameter.detach().clone())
    return {name: torch.stack(values) for name, values in after.items()}


def describe(make, initial: dict[str, torch.Tensor]) -> dict:
    """What the optimizer is made with, from itself."""
    model = Tensors(initial)
    optimizer = make(model)
    decayed = {p for group in optimizer.param_groups if group["weight_decay"] > 0 for p in group["params"]}
    return {
        "optimizer": type(optimizer).__name__,
        "betas": list(optimizer.defaults["betas"]),
        "eps": optimizer.defaults["eps"],
        "weight_decay": WEIGHT_DECAY,
        "max_grad_norm": MAX_GRAD_NORM,
        "learning_rates": [PEAK * (step + 1) / STEPS for step in range(STEPS)],
        "decayed": [name for name, p in model.named_parameters() if p in decayed],
    }


def make_optimizer_case(name: str, make) -> dict[str, torch.Tensor]:
    source = generator(302)
    initial = {key: torch.empty(shape).normal_(0.0, 0.1, generator=source) for key, shape in SHAPES.items()}
    gradients = make_gradients()
    weights = updated(make, initial, gradients)
    exact = updated(make, initial, gradients, torch.float64)
    rounding = max(relative_error(weights[key], exact[key]) for key in SHAPES)
    if rounding > 1e-5:
        raise AssertionError(f"{name}: too sensitive to rounding: {rounding:.1e}")
    write_json(OPTIMIZERS / f"{name}.json", describe(make, initial))
    tensors = {f"initial.{key}": values for key, values in initial.items()}
    tensors |= {f"gradients.{key}": values for key, values in gradients.items()}
    tensors |= {f"weights.{key}": values for key, values in weights.items()}
    save_file(tensors, OPTIMIZERS / f"{name}.safetensors", {"format": "pt"})
    print(f"optimizers/{name}: rounding {rounding:.1e}")
    return weights


def make_optimizers() -> None:
    trainer = make_optimizer_case("trainer", trainers_optimizer)
    lorafa = make_optimizer_case("lorafa", lorafa_optimizer)
    difference = max(relative_error(lorafa[key], trainer[key]) for key in SHAPES)
    if difference < 1e-2:
        raise AssertionError(f"the optimizers differ by {difference:.1e} only")
    print(f"optimizers: the two differ by {difference:.1e}")
