"""LoRA-FA's optimizer (arXiv 2308.03303) with its state at the parameters."""

import math

import torch

class LoraFA(torch.optim.Optimizer):
    """AdamW on projected gradients, as PEFT's `LoraFAOptimizer` computes it: epsilon is added before the bias
    correction, and weights decay after the update.

    PEFT's keeps its moments under names, makes the projection anew in every step and pairs A and B by their order.
    Here each B has its own moments and a projection that it is given, since A never changes; and what is multiplied
    are the columns of B, so that B may be divided by rows.

    `layers` are pairs of a B `[out, r]` and its projection `[r, r]`, which is `(A Aᵀ + δI)⁻¹ / scaling²` of a frozen A
    `[r, in]`: a gradient of B times this is the step whose low-rank update is closest to the gradient of the whole
    matrix.
    """

    def __init__(self, layers, betas: tuple, eps: float, weight_decay: float):
        self._projections = dict(layers)
        defaults = {"lr": 0.0, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(list(self._projections), defaults)

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for b in group["params"]:
                gradient = b.grad @ self._projections[b]
                state = self.state[b]
                if not state:
                    state["step"] = torch.tensor(0.0)
                    state["exp_avg"] = torch.zeros_like(b)
                    state["exp_avg_sq"] = torch.zeros_like(b)
                state["step"] += 1
                state["exp_avg"].mul_(beta1).add_(gradient, alpha=1 - beta1)
                state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
                steps = state["step"].item()
                step_size = group["lr"] * math.sqrt(1 - beta2**steps) / (1 - beta1**steps)
                b.addcdiv_(state["exp_avg"], state["exp_avg_sq"].sqrt().add_(group["eps"]), value=-step_size)
                b.mul_(1 - group["lr"] * group["weight_decay"])
