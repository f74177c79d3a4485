"""Makes a tiny random model of the architecture that a config.json describes, and all that the engine is compared with.

    LORAFA_GOLDEN=FOLDER python verify_architecture.py CONFIG.json

The structure is the file's own (kinds of layers, rotary scaling, multipliers, biases), with transformers' defaults for
what it leaves out; the sizes are small. Run by `npm run verify-architecture -- CONFIG.json`, which then runs the engine's
parity tests on the folder.
"""

import json
import sys
from pathlib import Path

from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from models import GEMMA3_IMAGES, MISTRAL3_IMAGES, ModelCase, make_model
from reference import fix_numerics
from training import TEXT_PART, TrainingCase, make_training_case

NAME = "verified"
# Long enough for windows of 8 tokens and for LongRoPE's second list of factors.
SEQUENCE_LENGTH = 24
MAX_LAYERS = 8
OLD_LENGTH = 16
MAX_EXPERTS = 8
# What stands beside the text of models that read images.
OTHER_PARTS = {"gemma3": GEMMA3_IMAGES, "mistral3": MISTRAL3_IMAGES}

SIZES = {
    "vocab_size": 96, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "head_dim": 16,
    "max_position_embeddings": 128, "sliding_window": 8, "original_max_position_embeddings": OLD_LENGTH,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "moe_intermediate_size": 24, "num_experts": MAX_EXPERTS,
    "num_local_experts": MAX_EXPERTS, "shared_intermediate_size": 48, "mamba_n_heads": 8, "mamba_d_head": 8,
}  # fmt: skip


def with_common_keys(config: dict, config_class: type) -> dict:
    """Under the names that all classes know, where a family has others in its files."""
    own = {name: common for common, name in config_class.attribute_map.items()}
    return {own.get(key, key): value for key, value in config.items()}


def shrink(config: dict) -> dict:
    small = {**config, **{key: size for key, size in SIZES.items() if config.get(key)}}
    if config.get("num_key_value_heads") is not None:
        small["num_key_value_heads"] = 4 if config["num_key_value_heads"] == config["num_attention_heads"] else 2
    small["num_hidden_layers"] = min(config["num_hidden_layers"], MAX_LAYERS)
    for key in ("layer_types", "no_rope_layers"):
        if config.get(key) is not None:
            small[key] = config[key][: small["num_hidden_layers"]]
    if config.get("num_experts_per_tok") is not None:
        small["num_experts_per_tok"] = min(config["num_experts_per_tok"], MAX_EXPERTS // 2)
    head_dim = small.get("head_dim") or small["hidden_size"] // small["num_attention_heads"]
    for key in ("rope_scaling", "rope_parameters"):
        if config.get(key) is not None:
            part = config[key].get("partial_rotary_factor", config.get("partial_rotary_factor", 1.0))
            small[key] = shrink_rope(config[key], int(head_dim * part) // 2)
            if "dynamic" in (config[key].get("rope_type"), config[key].get("type")):
                small["max_position_embeddings"] = OLD_LENGTH
    return small


def shrink_rope(rope: dict, pairs: int) -> dict:
    """Lists of factors as long as there are pairs of features; an old length that texts go beyond."""
    small = {key: shrink_rope(value, pairs) if isinstance(value, dict) else value for key, value in rope.items()}
    for key in ("short_factor", "long_factor"):
        if key in small:
            step = max(1, len(small[key]) // pairs)
            small[key] = small[key][::step][:pairs]
    if "original_max_position_embeddings" in small:
        small["original_max_position_embeddings"] = OLD_LENGTH
    return small


def class_of(config: dict) -> type:
    kind = config.get("model_type")
    if kind not in CONFIG_MAPPING:
        sys.exit(f"This transformers knows no model_type {kind!r}.")
    return CONFIG_MAPPING[kind]


def small_text(config: dict) -> dict:
    """The configuration of a decoder: whole, under common names, and small."""
    config_class = class_of(config)
    return shrink(with_common_keys(config_class(**config).to_dict(), config_class))


def verified_model(config: dict) -> ModelCase:
    config_class = class_of(config)
    images = OTHER_PARTS.get(config["model_type"])
    mapping = MODEL_FOR_CAUSAL_LM_MAPPING if images is None else MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    if config_class not in mapping:
        sys.exit(f"transformers has no decoder for the model_type {config['model_type']!r}.")
    if images is None:
        text, other_parts = small_text(config), None
    else:
        text = small_text(config_class(**config).to_dict()["text_config"])
        other_parts = {**images, "tie_word_embeddings": config.get("tie_word_embeddings", text["tie_word_embeddings"])}
    family = (config_class, mapping[config_class])
    return ModelCase(NAME, family, text, seed=1, sequence_length=SEQUENCE_LENGTH, checked=False, other_parts=other_parts)


def main(file: str) -> None:
    fix_numerics()
    case = verified_model(json.loads(Path(file).read_text()))
    make_model(case)
    targets = "all-linear" if case.other_parts is None else TEXT_PART
    make_training_case(
        TrainingCase(
            NAME, NAME, "lorafa", seed=2, sequence_length=SEQUENCE_LENGTH, random_b=True,
            peft={"r": 4, "lora_alpha": 8, "target_modules": targets},
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
