"""A base model of transformers with an adapter of PEFT, trained on Accelerate."""

import contextlib
import math
import os
import zlib
from pathlib import Path

import psutil
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM
from transformers.modeling_layers import GradientCheckpointingLayer

import sharded
from lorafa import LoraFA

# Of a position whose next token is not learned.
IGNORED = -100
# The moments of Adam, by their names in torch and in checkpoints.
MOMENTS = ("exp_avg", "exp_avg_sq")
# An adapter, and what lies beside it to go on from.
ADAPTER_FILE = "adapter_model.safetensors"
MOMENTS_FILE = "optimizer.safetensors"
PROJECTIONS_FILE = "projections.safetensors"


class Refusal(Exception):
    """What cannot be computed here, in a sentence for people."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Trainer:
    def __init__(
        self,
        *,
        rank: int,
        num_processes: int,
        local_rank: int,
        local_processes: int,
        meeting: dict,
        device: str,
        mixed_precision: str,
        distributed_type: str,
    ):
        """One of `num_processes`, of which `local_processes` are on this machine. `meeting` is what PyTorch's
        `init_process_group` is told of how they find each other, and how long they wait for one another. Each of them
        has the whole model ("ddp"), or they share it ("fsdp")."""
        self._rank, self._processes = rank, num_processes
        on_cpu = not _uses_cuda(device, local_processes)
        if num_processes > 1:
            if not on_cpu:
                torch.cuda.set_device(local_rank)
            backend = "gloo" if on_cpu else "nccl"
            if not backends()[backend]:
                raise Refusal(
                    "device.unavailable",
                    f"PyTorch {torch.__version__} was built without {backend}, by which processes talk; "
                    "install another build of it, or set accelerate.num_processes to 1.",
                )
            torch.distributed.init_process_group(backend, rank=rank, world_size=num_processes, **meeting)
        # Buffers follow from each process's own batch, and processes may have other numbers of them in a step.
        alone = DistributedDataParallelKwargs(broadcast_buffers=False)
        self._accelerator = Accelerator(cpu=on_cpu, mixed_precision=mixed_precision, kwargs_handlers=[alone])
        self._dtype = torch.bfloat16 if mixed_precision == "bf16" else torch.float32
        self._is_sharded = distributed_type == "fsdp" and num_processes > 1
        how = zlib.crc32(f"{distributed_type} {mixed_precision}".encode())
        if self.total(how) != how * num_processes:
            raise Refusal(
                "config.contradiction",
                "The machines of this run differ in accelerate.distributed_type or accelerate.mixed_precision; "
                "give all of them the same.",
            )

    @property
    def device(self) -> str:
        return self._accelerator.device.type

    def load(
        self,
        model: str,
        revision: str | None,
        start: str,
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
        """Reads the base model from its folder, or from the Hugging Face Hub, and goes on after `steps` steps from the
        folder `start`: an adapter as PEFT loads it, with LoRA-FA's projections and, after the first step, the moments
        of its optimizer. `trained` are the names that PEFT saves the trained tensors under, and `decayed` those of them
        that weight decay is for."""
        revision = revision or "main"
        base = self._base(model, revision)
        # An adapter of an empty model stays empty, too.
        self._model = PeftModel.from_pretrained(
            base, start, is_trainable=True, torch_device="cpu", low_cpu_mem_usage=self._is_sharded
        )
        layers = {name: layer for name, layer in self._model.named_modules() if isinstance(layer, LoraLayer)}
        for layer in layers.values():
            layer.lora_A["default"].weight.requires_grad_(method == "lora")
        if self._is_sharded:
            device = self._accelerator.device.type
            sharded.shard(self._model, init_device_mesh(device, (self._processes,)))
            try:
                sharded.fill(self._model, model, revision, base.base_model_prefix, Path(start) / ADAPTER_FILE)
            except sharded.Missing as missing:
                raise Refusal(
                    "model.unsupported",
                    f'{model} cannot be read in parts: {missing}; use accelerate.distributed_type "ddp" for this model.',
                ) from None
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
        # What is shared among processes adds up gradients by itself, and needs no more than the precision.
        self._wrapped = self._accelerator.prepare_model(self._model, evaluation_mode=self._is_sharded)
        self._max_grad_norm = max_grad_norm if max_grad_norm > 0 else math.inf
        if method == "lorafa":
            matrices = load_file(os.path.join(start, PROJECTIONS_FILE))
            pairs = ((weight, sharded.beside(matrices[name], weight)) for name, weight in self._trained.items())
            self._optimizer = LoraFA(pairs, tuple(betas), eps, weight_decay)
        else:
            others = set(trained) - set(decayed)
            groups = [
                {"params": [self._trained[name] for name in decayed], "weight_decay": weight_decay},
                {"params": [self._trained[name] for name in sorted(others)], "weight_decay": 0.0},
            ]
            self._optimizer = torch.optim.AdamW([g for g in groups if g["params"]], betas=tuple(betas), eps=eps)
        if steps > 0:
            self._restore(load_file(os.path.join(start, MOMENTS_FILE)), steps)
        return {}

    def _base(self, model: str, revision: str) -> torch.nn.Module:
        if self._is_sharded:
            return sharded.empty_model(model, revision, self._dtype)
        return AutoModelForCausalLM.from_pretrained(
            model, revision=revision, dtype=self._dtype, use_safetensors=True, trust_remote_code=False
        )

    def total(self, share: float) -> float:
        """The sum of the shares of all processes."""
        if self._processes == 1:
            return share
        # What Python adds up in.
        sum_of_all = torch.tensor(share, dtype=torch.float64, device=self._accelerator.device)
        torch.distributed.all_reduce(sum_of_all)
        return sum_of_all.item()

    def step(self, batches: list, supervised: int, learning_rate: float) -> dict:
        """One optimizer step with the gradient of the mean loss over the supervised tokens of all batches. Returns that
        mean, and the norm of the gradient before clipping; nothing is updated where that is not finite. With them comes
        what this process computes on and its memory."""
        loss = 0.0
        share = self._share(batches)
        for index, batch in enumerate(share):
            is_last = index == len(share) - 1
            with contextlib.nullcontext() if is_last else self._accelerator.no_sync(self._wrapped):
                torch.manual_seed(batch["seed"])
                part = self._loss(self._wrapped, batch) / supervised
                # The gradient of several processes is the mean of theirs, and the sum is wanted.
                self._accelerator.backward(part * self._processes)
            loss += part.item()
        weights = list(self._trained.values())
        # Of a shared model each process knows the norm of its rows, and all clip by the same.
        total_norm = sharded.gathered(torch.nn.utils.get_total_norm([weight.grad for weight in weights]))
        torch.nn.utils.clip_grads_with_norm_(weights, self._max_grad_norm, total_norm)
        norm = total_norm.item()
        if math.isfinite(norm):
            for group in self._optimizer.param_groups:
                group["lr"] = learning_rate
            self._optimizer.step()
        self._optimizer.zero_grad()
        return {"loss": _finite(self.total(loss)), "grad_norm": _finite(norm), **self._usage()}

    def _usage(self) -> dict:
        """What this process computes on, and the bytes that it has: what PyTorch has taken of the GPU, or is resident."""
        device = self._accelerator.device
        if device.type == "cuda":
            return {"device": str(device), "memory": torch.cuda.memory_reserved(device)}
        # A CPU has the number of its process, which says nothing.
        return {"device": device.type, "memory": psutil.Process().memory_info().rss}

    @torch.no_grad()
    def evaluate(self, batches: list) -> dict:
        """The sum of the losses of the supervised tokens, without dropout."""
        dropouts = [module for module in self._model.modules() if isinstance(module, torch.nn.Dropout) and module.training]
        for dropout in dropouts:
            dropout.eval()
        loss = sum(self._loss(self._model, batch).item() for batch in self._share(batches))
        for dropout in dropouts:
            dropout.train()
        return {"loss": _finite(self.total(loss))}

    def fetch(self, file: str) -> dict:
        """Writes what is trained and the moments into a file; one of the processes does."""
        state = self.tensors() | self.moments()
        if self._rank == 0:
            save_file(state, file)
        return {}

    def tensors(self) -> dict:
        """What is trained, by the names that PEFT saves it under; all processes have to ask for it."""
        return {name: _saved(weight) for name, weight in self._trained.items()}

    def moments(self) -> dict:
        """The moments of what is trained; all processes have to ask for them."""
        moments = {}
        for name, weight in self._trained.items():
            state = self._optimizer.state[weight]
            for moment in MOMENTS:
                moments[f"{moment}.{name}"] = _saved(state[moment] if moment in state else torch.zeros_like(weight))
        return moments

    def _share(self, batches: list) -> list:
        """What this process computes of the batches. Each has as many as the others, since they add up gradients
        together: where one has too few it gets another of which nothing is learned."""
        share = batches[self._rank :: self._processes]
        missing = math.ceil(len(batches) / self._processes) - len(share)
        nothing = {**batches[0], "targets": [[IGNORED] * len(row) for row in batches[0]["targets"]]}
        return share + [nothing] * missing

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
            moments = {key: sharded.like(tensors[f"{key}.{name}"].view(weight.shape), weight) for key in MOMENTS}
            self._optimizer.state[weight].update(step=torch.tensor(float(steps)), **moments)


def _finite(number: float) -> float | None:
    """JSON has no other numbers."""
    return number if math.isfinite(number) else None


def save_adapter(tensors: dict, folder: Path) -> None:
    """Brings the weights in the folder of an adapter, that it began with, to what they are now."""
    file = folder / ADAPTER_FILE
    save_file(load_file(file) | tensors, file, metadata={"format": "pt"})


def save_moments(moments: dict, folder: Path) -> None:
    """Writes what goes on from an adapter beside it."""
    save_file(moments, folder / MOMENTS_FILE)


def _saved(tensor: torch.Tensor) -> torch.Tensor:
    """As it is written, in float32."""
    return sharded.gathered(tensor.detach()).float().cpu().contiguous()


def backends() -> dict:
    """Whether PyTorch was built with what processes talk by: gloo on CPUs, nccl on CUDA devices."""
    return {"gloo": torch.distributed.is_gloo_available(), "nccl": torch.distributed.is_nccl_available()}


def _uses_cuda(device: str, processes: int) -> bool:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cpu" or (device == "auto" and count == 0):
        return False
    if count < processes:
        raise Refusal(
            "device.unavailable",
            f"PyTorch finds {count} CUDA devices for {processes} processes; "
            'lower accelerate.num_processes, or set engine.device to "cpu".',
        )
    return True
