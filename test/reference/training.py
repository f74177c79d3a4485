"""golden/training/: twenty optimizer steps of transformers + peft, with everything needed to repeat them."""

import math
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import peft.optimizers.lorafa as lorafa
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import PreTrainedModel, Trainer, get_scheduler

from experts import with_linear_experts
from reference import MODELS, TRAINING, generator, load_model, make_trainer, relative_error, write_json

# The reference multiplies the gradient with the pseudo-inverse under bf16 autocast wherever bf16 is available, also
# on a CPU. That rounds to three digits and hides what is compared here, so it is switched off: float32 throughout.
lorafa.is_bf16_available = lambda: False

STEPS = 20
BATCH_SIZE = 2
IGNORED = -100
# PEFT's "all-linear" would adapt the other parts of a model that reads images as well.
TEXT_PART = r"model\.language_model\..*_proj"
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class TrainingCase:
    """One run. `peft` holds LoraConfig fields (None for method "full"); `random_b` starts from a non-zero B."""

    name: str
    model: str
    method: str
    seed: int
    peft: dict | None = None
    random_b: bool = False
    lr: float = 2e-3
    weight_decay: float = 0.0
    scheduler: str = "constant"
    scheduler_kwargs: dict = field(default_factory=dict)
    warmup_steps: int = 0
    accumulation: int = 1
    max_grad_norm: float = 0.0
    sequence_length: int = 16


CASES = [
    TrainingCase(
        "lorafa-all-linear", "llama3-gqa", "lorafa", seed=101, sequence_length=32,
        peft={"r": 4, "lora_alpha": 8, "target_modules": "all-linear"},
    ),
    TrainingCase(
        "lorafa-rslora", "qwen2", "lorafa", seed=102, random_b=True, scheduler="linear",
        peft={"r": 8, "lora_alpha": 8, "use_rslora": True, "target_modules": LINEAR},
    ),
    TrainingCase(
        "lorafa-patterns", "qwen3", "lorafa", seed=103, random_b=True,
        peft={
            "r": 4, "lora_alpha": 8, "target_modules": "all-linear",
            "rank_pattern": {"q_proj": 2, "layers.1.mlp.down_proj": 6},
            "alpha_pattern": {"v_proj": 16, "^model.layers.0.*up_proj": 3, "layers.1.mlp.down_proj": 24},
        },
    ),
    TrainingCase(
        "lorafa-accumulation-clipping", "llama-bias", "lorafa", seed=104,
        lr=1e-2, scheduler="cosine", warmup_steps=4, weight_decay=0.1, accumulation=2, max_grad_norm=0.5,
        peft={"r": 4, "lora_alpha": 16, "target_modules": LINEAR},
    ),
    TrainingCase(
        "lorafa-qv-bf16", "smollm2-bf16", "lorafa", seed=105,
        peft={"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"]},
    ),
    TrainingCase(
        "lorafa-selected-layers", "mistral-window", "lorafa", seed=106, sequence_length=24, random_b=True,
        scheduler="constant_with_warmup", warmup_steps=5, weight_decay=0.5,
        peft={
            "r": 4, "lora_alpha": 8, "use_rslora": True, "target_modules": LINEAR,
            "exclude_modules": ["gate_proj", "layers.1.self_attn.o_proj"], "layers_to_transform": [1],
        },
    ),
    TrainingCase(
        "lora-linear", "llama2", "lora", seed=107, random_b=True, scheduler="linear", warmup_steps=3, weight_decay=0.5,
        peft={"r": 4, "lora_alpha": 8, "target_modules": "all-linear"},
    ),
    TrainingCase(
        "lora-accumulation-min-lr", "mistral", "lora", seed=108, weight_decay=0.5, accumulation=3, max_grad_norm=0.55,
        scheduler="cosine_with_min_lr", scheduler_kwargs={"min_lr_rate": 0.1}, warmup_steps=2,
        peft={"r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "k_proj", "v_proj", "down_proj"]},
    ),
    # One case for each of the other families: twenty steps through all that is its own.
    *(
        TrainingCase(
            f"family-{model}", model, "lorafa", seed=120 + index, sequence_length=20, random_b=True,
            peft={"r": 4, "lora_alpha": 8, "target_modules": "all-linear"},
        )
        for index, model in enumerate((
            "qwen3-mixed", "llama-yarn", "gemma2", "gemma3", "phi3", "olmo2", "olmo3", "granite", "smollm3", "cohere2",
            "glm4", "starcoder2", "gpt-neox", "gpt-neox-sequential", "mixtral", "qwen3-moe-all", "gpt2",
            "llama-dynamic", "ministral", "ministral3", "granite4",
        ))
    ),
    # The text of models with other parts.
    *(
        TrainingCase(
            f"family-{model}", model, "lorafa", seed=150 + index, sequence_length=20, random_b=True,
            peft={"r": 4, "lora_alpha": 8, "target_modules": TEXT_PART},
        )
        for index, model in enumerate(("gemma3-whole", "ministral3-whole"))
    ),
    # Most of its experts have no token in most steps. PEFT cannot adapt its dense layer beside them.
    TrainingCase(
        "lora-experts", "qwen3-moe", "lora", seed=140, sequence_length=12, random_b=True, weight_decay=0.5,
        peft={
            "r": 4, "lora_alpha": 8, "target_modules": LINEAR,
            "exclude_modules": [f"layers.1.mlp.{name}" for name in ("gate_proj", "up_proj", "down_proj")],
        },
    ),
    TrainingCase(
        "full-tied", "llama-tied", "full", seed=109, lr=1e-3, weight_decay=0.5,
        scheduler="constant_with_warmup", warmup_steps=4, max_grad_norm=1.0,
    ),
    TrainingCase("full-experts", "mixtral", "full", seed=141, lr=1e-3, weight_decay=0.5),
]


def tensor_name(parameter_name: str) -> str:
    """The name under which PEFT saves a parameter: without the name of the adapter."""
    return parameter_name.replace(".default.", ".")


def trainable(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {tensor_name(name): p for name, p in model.named_parameters() if p.requires_grad}


def make_data(case: TrainingCase, vocab_size: int) -> dict[str, torch.Tensor]:
    """Micro-batches with prompts (masked) and right padding of different lengths, so that no two of them hold the
    same number of supervised tokens: normalising per micro-batch instead of per step would show."""
    source = generator(case.seed)
    shape = (STEPS * case.accumulation, BATCH_SIZE, case.sequence_length)
    # Few distinct tokens, so that twenty steps find something to learn.
    input_ids = torch.randint(3, min(vocab_size, 24), shape, generator=source)
    attention_mask = torch.ones_like(input_ids)
    labels = input_ids.clone()
    for micro_batch in range(shape[0]):
        for row in range(BATCH_SIZE):
            prompt = int(torch.randint(1, 6, (1,), generator=source))
            padding = int(torch.randint(0, 6, (1,), generator=source))
            end = case.sequence_length - padding
            labels[micro_batch, row, :prompt] = IGNORED
            labels[micro_batch, row, end:] = IGNORED
            attention_mask[micro_batch, row, end:] = 0
            input_ids[micro_batch, row, end:] = 0
    return {"input_ids": input_ids, "labels": labels, "attention_mask": attention_mask}


def make_adapter(case: TrainingCase, folder: Path) -> None:
    """The initial adapter as PEFT saves it: A as PEFT draws it, B zero or small."""
    torch.manual_seed(case.seed)
    model = get_peft_model(with_linear_experts(load_model(MODELS / case.model)), LoraConfig(task_type="CAUSAL_LM", **case.peft))
    if case.random_b:
        source = generator(case.seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(0.0, 0.05, generator=source)
    config = model.peft_config["default"]
    config.base_model_name_or_path = case.model
    # PEFT keeps these as sets; sorted lists make the file the same on every run.
    for key in ("target_modules", "exclude_modules"):
        if isinstance(getattr(config, key), set):
            setattr(config, key, sorted(getattr(config, key)))
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)


def load_trainable_model(case: TrainingCase, folder: Path, dtype: torch.dtype) -> PreTrainedModel | PeftModel:
    base = with_linear_experts(load_model(MODELS / case.model, dtype))
    if case.peft is None:
        return base
    return PeftModel.from_pretrained(base, folder / "adapter_init", is_trainable=True).to(dtype)


def make_optimizer(case: TrainingCase, model: torch.nn.Module) -> torch.optim.Optimizer:
    """LoRA-FA's own optimizer, or the one that the Trainer makes when it is told nothing of it."""
    if case.method == "lorafa":
        return lorafa.create_lorafa_optimizer(
            model, r=case.peft["r"], lora_alpha=case.peft["lora_alpha"], lr=case.lr, weight_decay=case.weight_decay
        )
    return case_trainer(case, model).create_optimizer()


def case_trainer(case: TrainingCase, model: torch.nn.Module, data: dict[str, torch.Tensor] | None = None) -> Trainer:
    """The Trainer with the settings of a case and its rows in their order."""
    rows = data and [
        {key: value.flatten(0, 1)[row] for key, value in data.items()}
        for row in range(STEPS * case.accumulation * BATCH_SIZE)
    ]
    return make_trainer(
        model, rows,
        max_steps=STEPS, per_device_train_batch_size=BATCH_SIZE, gradient_accumulation_steps=case.accumulation,
        learning_rate=case.lr, weight_decay=case.weight_decay, max_grad_norm=case.max_grad_norm,
        lr_scheduler_type=case.scheduler, lr_scheduler_kwargs=case.scheduler_kwargs, warmup_steps=case.warmup_steps,
    )


def train(case: TrainingCase, folder: Path, data: dict[str, torch.Tensor], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The run itself. Returns the tensors of golden.safetensors, in `dtype`."""
    model = load_trainable_model(case, folder, dtype)
    optimizer = make_optimizer(case, model)
    scheduler = get_scheduler(
        case.scheduler, optimizer, case.warmup_steps, STEPS, scheduler_specific_kwargs=case.scheduler_kwargs
    )
    parameters = trainable(model)
    golden = {"initial_logits": first_logits(model, data)}
    losses, learning_rates, grad_norms = [], [], []
    for step in range(STEPS):
        micro_batches = range(step * case.accumulation, (step + 1) * case.accumulation)
        supervised = sum(int((data["labels"][i][:, 1:] != IGNORED).sum()) for i in micro_batches)
        loss = 0.0
        for i in micro_batches:
            batch = {key: value[i] for key, value in data.items()}
            # With num_items_in_batch transformers sums the token losses and divides by it.
            share = model(**batch, num_items_in_batch=supervised).loss
            share.backward()
            loss += float(share.detach())
        if step == 0:
            golden |= {f"grad.{name}": p.grad.clone() for name, p in parameters.items()}
        # Returns the norm before clipping; an infinite limit only measures.
        limit = case.max_grad_norm if case.max_grad_norm > 0 else math.inf
        grad_norms.append(float(torch.nn.utils.clip_grad_norm_(parameters.values(), limit)))
        losses.append(loss)
        learning_rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    golden["final_logits"] = first_logits(model, data)
    golden |= {f"final.{name}": p.detach().clone() for name, p in parameters.items()}
    golden["losses"] = torch.tensor(losses, dtype=dtype)
    golden["learning_rates"] = torch.tensor(learning_rates, dtype=dtype)
    golden["grad_norms"] = torch.tensor(grad_norms, dtype=dtype)
    return {name: tensor.contiguous() for name, tensor in golden.items()}


def first_logits(model: torch.nn.Module, data: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        return model(data["input_ids"][0], attention_mask=data["attention_mask"][0]).logits


def check_loads(case: TrainingCase, folder: Path, data: dict[str, torch.Tensor], golden: dict[str, torch.Tensor]) -> None:
    """PEFT must come to the same where it brings an adapter of linear experts to those of transformers 5."""
    if case.peft is None:
        return
    model = PeftModel.from_pretrained(load_model(MODELS / case.model), folder / "adapter_init").eval()
    torch.testing.assert_close(first_logits(model, data), golden["initial_logits"], rtol=1e-4, atol=1e-4)


def check_rounding(case: TrainingCase, golden: dict[str, torch.Tensor], exact: dict[str, torch.Tensor]) -> str:
    """Rounding must stay far below the tolerances of the parity tests (1e-4 for losses and logits, 1e-3 for gradients
    and final weights), or an engine with another order of summation would fail for no fault of its own.
    `exact` is the same run in float64 (the norms and the softmax of transformers stay in float32)."""
    worst = {
        "loss": float((golden["losses"].double() - exact["losses"]).abs().max()),
        "grad": max(relative_error(t, exact[n]) for n, t in golden.items() if n.startswith("grad.") and exact[n].any()),
        "final": final_difference(golden, exact),
    }
    if worst["loss"] > 2e-5 or worst["grad"] > 1e-4 or worst["final"] > 2e-4:
        raise AssertionError(f"{case.name}: too sensitive to rounding: {worst}")
    return ", ".join(f"{key} {value:.1e}" for key, value in worst.items())


def check_settings(case: TrainingCase, folder: Path, data: dict[str, torch.Tensor], golden: dict[str, torch.Tensor]) -> str:
    """Every setting must move the final weights by more than the tolerance: who ignores one has to fail."""
    ignoring = {
        "weight_decay": replace(case, weight_decay=0.0),
        "max_grad_norm": replace(case, max_grad_norm=0.0),
        "scheduler": replace(case, scheduler="constant", scheduler_kwargs={}, warmup_steps=0),
    }
    effects = []
    for setting, variant in ignoring.items():
        if variant == case:
            continue
        effect = final_difference(train(variant, folder, data, torch.float32), golden)
        if effect < 3e-3:
            raise AssertionError(f"{case.name}: {setting} changes the final weights by {effect:.1e} only")
        effects.append(f"{setting} {effect:.1e}")
    return ", ".join(effects) or "none"


def final_difference(actual: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> float:
    return max(relative_error(actual[n], t) for n, t in expected.items() if n.startswith("final."))


def check_trainer(case: TrainingCase, folder: Path, data: dict[str, torch.Tensor], golden: dict[str, torch.Tensor]) -> str:
    """The Trainer's own loop must come to the same: its losses, norms, rates and final weights, within rounding."""
    if case.method == "lorafa":
        return "not asked"
    model = load_trainable_model(case, folder, torch.float32)
    trainer = case_trainer(case, model, data)
    summary = trainer.train()
    steps = [entry for entry in trainer.state.log_history if "grad_norm" in entry]
    worst = {
        key: float((torch.tensor([step[name] for step in steps]) - golden[key]).abs().max())
        for key, name in (("losses", "loss"), ("grad_norms", "grad_norm"), ("learning_rates", "learning_rate"))
    }
    worst["train_loss"] = abs(summary.training_loss - float(golden["losses"].mean()))
    worst["final"] = final_difference({f"final.{name}": p.detach() for name, p in trainable(model).items()}, golden)
    if len(steps) != STEPS or max(worst.values()) > 1e-5:
        raise AssertionError(f"{case.name}: the Trainer trains otherwise: {worst}")
    return ", ".join(f"{key} {value:.1e}" for key, value in worst.items())


def optimizer_settings(case: TrainingCase, folder: Path) -> dict:
    """What the optimizer is made with, from itself."""
    optimizer = make_optimizer(case, load_trainable_model(case, folder, torch.float32))
    return {
        "lr": case.lr,
        "weight_decay": case.weight_decay,
        "betas": list(optimizer.defaults["betas"]),
        "eps": optimizer.defaults["eps"],
    }


def describe(case: TrainingCase, folder: Path) -> dict:
    return {
        "name": case.name,
        "model": case.model,
        "method": case.method,
        "peft": case.peft,
        "optimizer": optimizer_settings(case, folder),
        "lr_scheduler_type": case.scheduler,
        "lr_scheduler_kwargs": case.scheduler_kwargs,
        "warmup_steps": case.warmup_steps,
        "steps": STEPS,
        "gradient_accumulation_steps": case.accumulation,
        "max_grad_norm": case.max_grad_norm,
        "batch_size": BATCH_SIZE,
        "sequence_length": case.sequence_length,
    }


def make_training_case(case: TrainingCase) -> None:
    folder = TRAINING / case.name
    shutil.rmtree(folder, ignore_errors=True)
    if case.peft is not None:
        make_adapter(case, folder / "adapter_init")
    write_json(folder / "case.json", describe(case, folder))
    data = make_data(case, load_model(MODELS / case.model).config.get_text_config().vocab_size)
    golden = train(case, folder, data, torch.float32)
    check_loads(case, folder, data, golden)
    rounding = check_rounding(case, golden, train(case, folder, data, torch.float64))
    settings = check_settings(case, folder, data, golden)
    trainer = check_trainer(case, folder, data, golden)
    save_file(data, folder / "data.safetensors", {"format": "pt"})
    save_file(golden, folder / "golden.safetensors", {"format": "pt"})
    print(f"training/{case.name}: rounding: {rounding}; effect of settings: {settings}; the Trainer's loop: {trainer}")


def make_training() -> None:
    for case in CASES:
        make_training_case(case)
