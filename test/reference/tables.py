"""Single golden files: learning-rate schedules, pseudo-inverses, target-module semantics, what decays, early stopping."""

import math

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import EarlyStoppingCallback, get_scheduler
from transformers.trainer_utils import IntervalStrategy, SaveStrategy

from reference import GOLDEN, MODELS, generator, load_model, make_trainer, write_json

TARGETS_MODEL = "llama2"
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


def learning_rates(name: str, lr: float, warmup_steps: int, steps: int, kwargs: dict) -> list[float]:
    """The rate that optimizer step 0, 1, ... uses."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = get_scheduler(name, optimizer, warmup_steps, steps, scheduler_specific_kwargs=kwargs)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def make_schedules() -> None:
    schedules = [
        ("constant", {}),
        ("constant_with_warmup", {}),
        ("linear", {}),
        ("cosine", {}),
        ("cosine_with_min_lr", {"min_lr": 5e-5}),
        ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
    ]
    lr, steps = 3e-4, 30
    table = [
        {
            "lr_scheduler_type": name,
            "lr_scheduler_kwargs": kwargs,
            "lr": lr,
            "warmup_steps": warmup_steps,
            "steps": steps,
            "learning_rates": learning_rates(name, lr, warmup_steps, steps, kwargs),
        }
        for warmup_steps in (0, 5)
        for name, kwargs in schedules
    ]
    write_json(GOLDEN / "schedules.json", table)


def make_pinv() -> None:
    """pinv(A Aᵀ + 1e-8 I) in float64. The reference optimizer computes it in float32, where singular values below
    r · 1.2e-7 · the largest are dropped: its result differs for "ill-conditioned" and for "duplicate-rows"."""
    source = generator(201)

    def draw(rows: int, columns: int) -> torch.Tensor:
        bound = 1 / math.sqrt(columns)
        # Drawn in float32, as adapters store A; widened for the arithmetic.
        return torch.empty(rows, columns).uniform_(-bound, bound, generator=source).double()

    regular = draw(4, 12)
    ill_conditioned = draw(4, 12)
    ill_conditioned[3] = (ill_conditioned[2] + 1e-3 * ill_conditioned[3]).float().double()
    duplicate_rows = draw(4, 12)
    duplicate_rows[3] = duplicate_rows[1]
    table = []
    for name, a in (("regular", regular), ("ill-conditioned", ill_conditioned), ("duplicate-rows", duplicate_rows)):
        gram = a @ a.T + 1e-8 * torch.eye(a.shape[0], dtype=torch.float64)
        table.append(
            {
                "name": name,
                "condition": float(torch.linalg.cond(gram)),
                "a": a.tolist(),
                "pinv": torch.linalg.pinv(gram).tolist(),
            }
        )
    write_json(GOLDEN / "pinv.json", table)


# Fields of LoraConfig; r is 4 and lora_alpha 8 unless given.
TARGETS = [
    {"target_modules": ["q_proj", "v_proj"]},
    {"target_modules": ["self_attn.q_proj", "mlp.down_proj"]},
    {"target_modules": ["layers.1.self_attn.q_proj"]},
    {"target_modules": ["model.layers.0.mlp.up_proj"]},
    # A suffix must begin at a dot: "proj" is none, "q_proj" still matches.
    {"target_modules": ["proj", "q_proj"]},
    # One name of several may match nothing.
    {"target_modules": ["q_proj", "no_such_module"]},
    {"target_modules": ["lm_head"]},
    {"target_modules": ["q_proj", "lm_head"]},
    {"target_modules": r".*\.q_proj"},
    {"target_modules": r"model\.layers\.1\.(self_attn|mlp)\.(q|v|up)_proj"},
    # A pattern must match the whole name.
    {"target_modules": r"q_proj"},
    {"target_modules": r".*layers\.0.*"},
    {"target_modules": "all-linear"},
    {"target_modules": "All-Linear"},
    {"target_modules": "all-linear", "exclude_modules": ["down_proj"]},
    {"target_modules": "all-linear", "exclude_modules": r".*\.mlp\..*"},
    {"target_modules": ATTENTION, "exclude_modules": ["layers.0.self_attn.k_proj", "o_proj"]},
    {"target_modules": ATTENTION, "exclude_modules": r"model\.layers\.1\..*"},
    {"target_modules": ATTENTION, "exclude_modules": r"k_proj"},
    {"target_modules": ["q_proj"], "exclude_modules": ["q_proj"]},
    {"target_modules": ["no_such_module"], "exclude_modules": ["q_proj"]},
    {"target_modules": ["q_proj", "up_proj"], "layers_to_transform": 1},
    {"target_modules": ["q_proj", "up_proj"], "layers_to_transform": 0},
    {"target_modules": ["q_proj", "up_proj"], "layers_to_transform": [0]},
    {"target_modules": ["q_proj", "up_proj"], "layers_to_transform": [1, 0]},
    {"target_modules": ["q_proj", "up_proj"], "layers_to_transform": []},
    {"target_modules": ["q_proj"], "layers_to_transform": [7]},
    # A name given in full escapes the choice of layers: lm_head (in no layer) and layer 0 stay.
    {"target_modules": ["q_proj", "lm_head"], "layers_to_transform": [1]},
    {"target_modules": ["model.layers.0.self_attn.q_proj", "up_proj"], "layers_to_transform": [1]},
    {"target_modules": "all-linear", "layers_to_transform": [1]},
    {"target_modules": r".*\.q_proj", "layers_to_transform": [1]},
    {"target_modules": "all-linear", "layers_to_transform": [1], "exclude_modules": ["gate_proj"]},
    {"target_modules": ATTENTION, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 32}},
    {"target_modules": ATTENTION, "rank_pattern": {"layers.1.self_attn.q_proj": 16}},
    {"target_modules": ATTENTION, "rank_pattern": {"model.layers.1.self_attn.q_proj": 16}},
    {"target_modules": ATTENTION, "rank_pattern": {"^model.layers.0.*q_proj": 3}},
    {"target_modules": ATTENTION, "alpha_pattern": {"^model.layers.0.*": 5, r"layers\.\d+\.self_attn\.[kv]_proj": 7}},
    # The first key that matches wins, in the order of the file.
    {"target_modules": ["q_proj"], "rank_pattern": {"q_proj": 2, "layers.0.self_attn.q_proj": 3}},
    {"target_modules": ["q_proj"], "rank_pattern": {"layers.0.self_attn.q_proj": 3, "q_proj": 2}},
    # A key matches at the end of the name, after a dot: neither "proj" nor "self_attn" matches q_proj.
    {"target_modules": ["q_proj"], "rank_pattern": {"proj": 2, "self_attn": 3}, "alpha_pattern": {".*proj": 3}},
    {"target_modules": ["q_proj"], "rank_pattern": {"no_such_module": 2}},
    {"target_modules": ["q_proj", "v_proj"], "use_rslora": True, "r": 16, "rank_pattern": {"v_proj": 4}},
    {"target_modules": ["q_proj"], "r": 64},
    {"target_modules": ["q_proj"], "r": 0},
    {"target_modules": ["q_proj"], "rank_pattern": {"q_proj": 0}},
    {"target_modules": ["no_such_module"]},
    {"target_modules": r"no_such_module"},
    {"target_modules": []},
    {"target_modules": ""},
    {"target_modules": ["embed_tokens"]},
    {"target_modules": ["input_layernorm"]},
    {"target_modules": ["q_proj", "input_layernorm"]},
    {"target_modules": ["self_attn"]},
    {"target_modules": r".*["},
]


def resolve(fields: dict) -> dict:
    """The LoRA layers that PEFT makes for `fields`, in the order of the model; or its refusal."""
    config = {"r": 4, "lora_alpha": 8, **fields}
    case = {
        "r": config["r"],
        "lora_alpha": config["lora_alpha"],
        "use_rslora": config.get("use_rslora", False),
        "target_modules": config["target_modules"],
        "exclude_modules": config.get("exclude_modules"),
        "layers_to_transform": config.get("layers_to_transform"),
        "rank_pattern": config.get("rank_pattern", {}),
        "alpha_pattern": config.get("alpha_pattern", {}),
    }
    try:
        model = get_peft_model(load_model(MODELS / TARGETS_MODEL), LoraConfig(task_type="CAUSAL_LM", **config))
    except Exception as error:  # whatever the reference refuses with is the golden value
        # The first line: what follows is a printout of the whole module.
        return {**case, "expected": None, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
    expected = [
        {
            "module": name.removeprefix("base_model.model."),
            "r": layer.r["default"],
            "lora_alpha": layer.lora_alpha["default"],
            "scaling": layer.scaling["default"],
        }
        for name, layer in model.named_modules()
        if isinstance(layer, LoraLayer)
    ]
    return {**case, "expected": expected}


def make_targets() -> None:
    write_json(GOLDEN / "targets.json", {"model": TARGETS_MODEL, "cases": [resolve(fields) for fields in TARGETS]})


# Between them: every family, biases, norms on q and k.
DECAY_MODELS = ["llama-bias", "mistral", "qwen2", "qwen3", "gpt2"]


def decayed_names(name: str, adapted: bool) -> dict[str, bool]:
    """For each trained parameter whether it is in the group of the Trainer's optimizer that decays."""
    model = load_model(MODELS / name)
    if adapted:
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear"))
    optimizer = make_trainer(model, weight_decay=0.1).create_optimizer()
    decayed = {p for group in optimizer.param_groups if group["weight_decay"] > 0 for p in group["params"]}
    return {n.replace(".default.", "."): p in decayed for n, p in model.named_parameters() if p.requires_grad}


def make_decay() -> None:
    full = {name: decayed_names(name, adapted=False) for name in DECAY_MODELS}
    write_json(GOLDEN / "decay.json", {"full": full, "lora": {"llama-bias": decayed_names("llama-bias", adapted=True)}})


# Losses of evaluations, with early_stopping_patience and early_stopping_threshold.
EVALUATIONS = [
    ([2.0, 1.5, 1.6, 1.55, 1.4, 1.5, 1.45], 2, 0.0),
    ([2.0, 1.5, 1.5, 1.5], 1, 0.0),
    ([2.0, 1.95, 1.9, 1.85, 1.5], 2, 0.1),
    ([2.0, 1.95, 1.9, 1.85, 1.5], 4, 0.1),
    ([2.0, 1.5, float("nan"), 1.4, float("nan"), float("nan")], 2, 0.0),
    ([float("nan"), float("nan"), 2.0, 3.0, 2.5], 3, 0.0),
    ([3.0, 2.0, 1.0], 1, 0.0),
    ([1.0, 2.0, 3.0], 1, 0.0),
]


def stop_early(losses: list[float], patience: int, threshold: float) -> dict:
    """What the Trainer counts at each evaluation until it stops, as far as the losses go."""
    trainer = make_trainer(torch.nn.Linear(1, 1), metric_for_best_model="loss")
    # It would ask for data to evaluate and for the disk otherwise.
    trainer.args.eval_strategy = IntervalStrategy.STEPS
    trainer.args.save_strategy = SaveStrategy.STEPS
    callback = EarlyStoppingCallback(patience, threshold)
    trainer.add_callback(callback)
    counters, best_steps = [], []
    for step, loss in enumerate(losses, start=1):
        trainer.state.global_step = step
        metrics = {"eval_loss": loss}
        control = trainer.callback_handler.on_evaluate(trainer.args, trainer.state, trainer.control, metrics)
        trainer._determine_best_metric(metrics, None)
        counters.append(callback.early_stopping_patience_counter)
        best_steps.append(trainer.state.best_global_step)
        if control.should_training_stop:
            break
    return {
        "losses": [None if math.isnan(loss) else loss for loss in losses],
        "early_stopping_patience": patience,
        "early_stopping_threshold": threshold,
        "counters": counters,
        "best_steps": best_steps,
    }


def make_early_stopping() -> None:
    write_json(GOLDEN / "early-stopping.json", [stop_early(*case) for case in EVALUATIONS])


def make_tables() -> None:
    make_schedules()
    make_pinv()
    make_targets()
    make_decay()
    make_early_stopping()
    print("schedules.json, pinv.json, targets.json, decay.json, early-stopping.json")
