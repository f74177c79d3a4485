"""golden/models/: one tiny random model per family, and the logits that transformers computes from it."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from reference import MODELS, generator, load_model

LLAMA = (LlamaConfig, LlamaForCausalLM)
MISTRAL = (MistralConfig, MistralForCausalLM)
QWEN2 = (Qwen2Config, Qwen2ForCausalLM)
QWEN3 = (Qwen3Config, Qwen3ForCausalLM)

ROPE_PLAIN = {"rope_type": "default", "rope_theta": 10000.0}
# With head_dim 12 the wavelengths 6, 56, 498, ... fall on all three sides of the two limits
# (64 / 4 = 16 and 64 / 1 = 64): kept, blended and divided frequencies all occur.
ROPE_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}

SMALL = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "rope_parameters": ROPE_PLAIN,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


@dataclass(frozen=True)
class ModelCase:
    """One model folder. `classic` rewrites config.json the way transformers 4 did, as most hub checkpoints have it."""

    name: str
    family: tuple
    config: dict
    seed: int
    dtype: torch.dtype = torch.float32
    sequence_length: int = 12
    classic: bool = False
    classic_extra: dict = field(default_factory=dict)
    max_shard_size: str = "5GB"


LLAMA3 = {
    "vocab_size": 128,
    "hidden_size": 48,
    "intermediate_size": 80,
    "max_position_embeddings": 512,
    "rope_parameters": ROPE_LLAMA3,
}

CASES = [
    ModelCase("llama2", LLAMA, {"num_key_value_heads": 4}, seed=1, classic=True, classic_extra={"rope_scaling": None}),
    ModelCase("llama3-gqa", LLAMA, LLAMA3, seed=2, sequence_length=64),
    ModelCase("llama3-classic", LLAMA, LLAMA3, seed=3, sequence_length=64, classic=True),
    ModelCase("llama-bias", LLAMA, {"attention_bias": True, "mlp_bias": True}, seed=4),
    ModelCase("llama-tied", LLAMA, {"tie_word_embeddings": True}, seed=5),
    ModelCase("llama-sharded", LLAMA, {}, seed=6, max_shard_size="40KB"),
    ModelCase("smollm2-bf16", LLAMA, {"tie_word_embeddings": True, "rope_parameters": {**ROPE_PLAIN, "rope_theta": 100000.0}}, seed=7, dtype=torch.bfloat16),
    ModelCase("tinyllama-f16", LLAMA, {}, seed=8, dtype=torch.float16, classic=True, classic_extra={"rope_scaling": None}),
    ModelCase("mistral", MISTRAL, {"sliding_window": None}, seed=9),
    ModelCase("mistral-window", MISTRAL, {"sliding_window": 8}, seed=10, sequence_length=24),
    ModelCase("qwen2", QWEN2, {"tie_word_embeddings": True, "rms_norm_eps": 1e-6}, seed=11),
    # Published Qwen2 configs name a window and switch it off: a reader that looks at `sliding_window` alone fails here.
    ModelCase(
        "qwen2-classic",
        QWEN2,
        {"rms_norm_eps": 1e-6},
        seed=12,
        sequence_length=24,
        classic=True,
        classic_extra={"use_sliding_window": False, "sliding_window": 8, "max_window_layers": 1},
    ),
    ModelCase("qwen3", QWEN3, {"tie_word_embeddings": True, "head_dim": 16, "rms_norm_eps": 1e-6}, seed=13),
]


def randomize(model: PreTrainedModel, seed: int) -> None:
    """Weights of a scale that makes attention, gates and logits far from flat; norms spread around 1."""
    source = generator(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.2, generator=source)
            if name.endswith("norm.weight"):
                parameter.add_(1.0)


def classic_config(config: dict, extra: dict) -> dict:
    """The transformers 4 form: `rope_theta` and `rope_scaling` at the top level, `torch_dtype`, no derived fields."""
    derived = {"rope_parameters", "dtype", "layer_types", "head_dim", "transformers_version"}
    classic = {key: value for key, value in config.items() if key not in derived}
    rope = dict(config["rope_parameters"])
    classic["rope_theta"] = rope.pop("rope_theta")
    if rope["rope_type"] != "default":
        classic["rope_scaling"] = rope
    classic["torch_dtype"] = config["dtype"]
    classic["transformers_version"] = "4.43.0"
    return dict(sorted({**classic, **extra}.items()))


def make_model(case: ModelCase) -> None:
    folder = MODELS / case.name
    shutil.rmtree(folder, ignore_errors=True)
    config_class, model_class = case.family
    model = model_class(config_class(**{**SMALL, **case.config}))
    randomize(model, case.seed)
    model.to(case.dtype).save_pretrained(folder, max_shard_size=case.max_shard_size)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if case.classic:
        path = folder / "config.json"
        config = classic_config(json.loads(path.read_text()), case.classic_extra)
        path.write_text(json.dumps(config, indent=2) + "\n")
    save_file(reference_logits(folder, case), folder / "golden.safetensors", {"format": "pt"})


def reference_logits(folder: Path, case: ModelCase) -> dict[str, torch.Tensor]:
    """Logits in float32 of the model as read back from disk. The second row ends in four padded positions."""
    model = load_model(folder)
    input_ids = torch.randint(3, model.config.vocab_size, (2, case.sequence_length), generator=generator(1000 + case.seed))
    attention_mask = torch.ones_like(input_ids)
    attention_mask[1, -4:] = 0
    with torch.no_grad():
        logits = model(input_ids, attention_mask=attention_mask).logits
        check_that_it_matters(model, case, input_ids, attention_mask, logits)
    return {"input_ids": input_ids, "attention_mask": attention_mask, "logits": logits.contiguous()}


def check_that_it_matters(model, case: ModelCase, input_ids, attention_mask, logits) -> None:
    """A golden file that a reader could pass while ignoring the field it was made for would prove nothing."""
    if not 0.5 < logits.std() < 5:
        raise AssertionError(f"{case.name}: logits have a standard deviation of {logits.std():.3f}")
    plain = {}
    if model.config.rope_parameters["rope_type"] != "default":
        plain["rope_parameters"] = {**ROPE_PLAIN, "rope_theta": model.config.rope_parameters["rope_theta"]}
    if getattr(model.config, "sliding_window", None) is not None:
        plain["sliding_window"] = None
    if not plain:
        return
    values = {**model.config.to_dict(), **plain}
    without = case.family[1](case.family[0](**values)).eval()
    without.set_attn_implementation("eager")
    without.load_state_dict(model.state_dict())
    difference = (without(input_ids, attention_mask=attention_mask).logits - logits).abs().max()
    if difference < 0.1:
        raise AssertionError(f"{case.name}: {list(plain)} changes the logits by {difference:.4f} only")


def make_models() -> None:
    for case in CASES:
        make_model(case)
        print(f"models/{case.name}")
