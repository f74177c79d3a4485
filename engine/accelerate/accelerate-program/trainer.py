"""A base model of transformers with an adapter of PEFT, trained on Accelerate."""

import contextlib
import math
import os

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM
from transformers.modeling_layers import GradientCheckpointingLayer

from lorafa import LoraFA, projection

# Of a position whose next token is not learned.
IGNORED = -100
# The moments of Adam, by their names in torch and in checkpoints.
MOMENTS = ("exp_avg", "exp_avg_sq")


class Refusal(Exception):
    """What cannot be computed here, in a sentence for people."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Trainer:
    def __init__(self, settings: dict):
        self._rank, self._processes = settings["rank"], settings["num_processes"]
        on_cpu = not self._uses_cuda(settings["device"])
        if self._processes > 1:
            if not on_cpu:
                torch.cuda.set_device(self._rank)
            # A file: no port is opened to which anybody could connect.
            torch.distributed.init_process_group(
                "gloo" if on_cpu else "nccl",
                init_method="file://" + os.path.join(settings["handover"], "rendezvous"),
                rank=self._rank,
                world_size=self._processes,
            )
        # Buffers follow from each process's own batch, and processes may have other numbers of them in a step.
        alone = DistributedDataParallelKwargs(broadcast_buffers=False)
        self._accelerator = Accelerator(
            cpu=on_cpu, mixed_precision=settings["mixed_precision"], kwargs_handlers=[alone]
        )
        self._dtype = torch.bfloat16 if settings["mixed_precision"] == "bf16" else torch.float32

    @property
    def device(self) -> str:
        return self._accelerator.device.type

    def load(
        self,
        model: str,
        adapter: str,
        moments: str | None,
        steps: int,
        trained: list,
        decayed: list,
        method: str,
        gradient_checkpointing: bool,
        betas: list,
        eps: float,
        weight_decay: float,
        max_grad_norm: float,
    ) -> dict:
        """Reads the base model from its folder and the adapter that PEFT loads, and goes on after `steps` steps with the
        moments of a file. `trained` are the names that PEFT saves the trained tensors under, and `decayed` those of
        them that weight decay is for."""
        base = AutoModelForCausalLM.from_pretrained(
            model, dtype=self._dtype, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
        self._model = PeftModel.from_pretrained(base, adapter, is_trainable=True, torch_device="cpu")
        layers = {name: layer for name, layer in self._model.named_modules() if isinstance(layer, LoraLayer)}
        for layer in layers.values():
            layer.lora_A["default"].weight.requires_grad_(method == "lora")
        self._trained = {
            name.replace(".default.", "."): weight
            for name, weight in self._model.named_parameters()
            if weight.requires_grad
        }
        if set(self._trained) != set(trained):
            raise Refusal(
                "model.unsupported",
                f"PEFT adapts other layers of {model} than LoRA-FA does; use engine.backend \"onnxruntime\" for this model.",
            )
        self._set_modes(layers.values(), gradient_checkpointing)
        self._wrapped = self._accelerator.prepare_model(self._model)
        self._max_grad_norm = max_grad_norm if max_grad_norm > 0 else math.inf
        if method == "lorafa":
            pairs = (
                (layer.lora_B["default"].weight, projection(layer.lora_A["default"].weight, layer.scaling["default"]))
                for layer in layers.values()
            )
            self._optimizer = LoraFA(pairs, tuple(betas), eps, weight_decay)
        else:
            others = set(trained) - set(decayed)
            groups = [
                {"params": [self._trained[name] for name in decayed], "weight_decay": weight_decay},
                {"params": [self._trained[name] for name in sorted(others)], "weight_decay": 0.0},
            ]
            self._optimizer = torch.optim.AdamW([g for g in groups if g["params"]], betas=tuple(betas), eps=eps)
        if moments is not None:
            self._restore(load_file(moments), steps)
        return {}

    def step(self, batches: list, supervised: int, learning_rate: float) -> dict:
        """One optimizer step with the gradient of the mean loss over the supervised tokens of all processes' batches.
        Returns this process's share of that mean, and the norm of the gradient before clipping; nothing is updated
        where that is not finite."""
        loss = 0.0
        for index, batch in enumerate(batches):
            is_last = index == len(batches) - 1
            with contextlib.nullcontext() if is_last else self._accelerator.no_sync(self._wrapped):
                torch.manual_seed(batch["seed"])
                share = self._loss(self._wrapped, batch) / supervised
                # The gradient of several processes is the mean of theirs, and the sum is wanted.
                self._accelerator.backward(share * self._processes)
            loss += share.item()
        norm = torch.nn.utils.clip_grad_norm_(self._trained.values(), self._max_grad_norm).item()
        if math.isfinite(norm):
            for group in self._optimizer.param_groups:
                group["lr"] = learning_rate
            self._optimizer.step()
        self._optimizer.zero_grad()
        return {"loss": _finite(loss), "grad_norm": _finite(norm)}

    @torch.no_grad()
    def evaluate(self, batch: dict) -> dict:
        """The sum of the losses of a batch's supervised tokens, without dropout."""
        dropouts = [module for module in self._model.modules() if isinstance(module, torch.nn.Dropout) and module.training]
        for dropout in dropouts:
            dropout.eval()
        loss = self._loss(self._model, batch).item()
        for dropout in dropouts:
            dropout.train()
        return {"loss": _finite(loss)}

    def fetch(self, file: str) -> dict:
        """Writes what is trained and the moments, in float32."""
        tensors = {}
        for name, weight in self._trained.items():
            state = self._optimizer.state[weight]
            tensors[name] = weight.detach()
            for moment in MOMENTS:
                tensors[f"{moment}.{name}"] = state[moment] if moment in state else torch.zeros_like(weight)
        save_file({name: tensor.float().cpu().contiguous() for name, tensor in tensors.items()}, file)
        return {}

    def _uses_cuda(self, device: str) -> bool:
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if device == "cpu" or (device == "auto" and count == 0):
            return False
        if count < self._processes:
            raise Refusal(
                "device.unavailable",
                f"PyTorch finds {count} CUDA devices for {self._processes} processes; "
                'lower accelerate.num_processes, or set engine.device to "cpu".',
            )
        return True

    def _set_modes(self, layers, gradient_checkpointing: bool) -> None:
        """Adapters train; the base computes as it does when it answers, without dropout of its own."""
        self._model.eval()
        for layer in layers:
            layer.lora_dropout.train()
        if not gradient_checkpointing:
            return
        self._model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        for module in self._model.modules():
            if isinstance(module, GradientCheckpointingLayer):
                # Not what is in it: `train()` would switch on its dropout.
                module.training = True

    def _loss(self, model: torch.nn.Module, batch: dict) -> torch.Tensor:
        """The sum of the losses of the supervised tokens; the token after each is its target already."""
        device = self._accelerator.device
        input_ids = torch.tensor(batch["input_ids"], device=device)
        targets = torch.tensor(batch["targets"], device=device)
        # Padding is at the right, where nothing sees it: no mask is needed, and positions are those of the tokens.
        logits = model(input_ids=input_ids, use_cache=False).logits
        return cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")

    def _restore(self, tensors: dict, steps: int) -> None:
        for name, weight in self._trained.items():
            moments = {key: tensors[f"{key}.{name}"].view_as(weight).to(weight.device) for key in MOMENTS}
            self._optimizer.state[weight].update(step=torch.tensor(float(steps)), **moments)


def _finite(number: float) -> float | None:
    """JSON has no other numbers."""
    return number if math.isfinite(number) else None
