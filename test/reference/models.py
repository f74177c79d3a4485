"""golden/models/: one tiny random model per family, and the logits that transformers computes from it."""

import json
import re
import shutil
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    Cohere2Config,
    Cohere2ForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3Config,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    Glm4Config,
    Glm4ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    GraniteMoeHybridConfig,
    GraniteMoeHybridForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Ministral3Config,
    Ministral3ForCausalLM,
    MinistralConfig,
    MinistralForCausalLM,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    MistralConfig,
    MistralForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    Olmo2Config,
    Olmo2ForCausalLM,
    Olmo3Config,
    Olmo3ForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
    SmolLM3Config,
    SmolLM3ForCausalLM,
    Starcoder2Config,
    Starcoder2ForCausalLM,
)

from reference import MODELS, generator, load_model

LLAMA = (LlamaConfig, LlamaForCausalLM)
MISTRAL = (MistralConfig, MistralForCausalLM)
MINISTRAL = (MinistralConfig, MinistralForCausalLM)
MINISTRAL3 = (Ministral3Config, Ministral3ForCausalLM)
GEMMA3_WHOLE = (Gemma3Config, Gemma3ForConditionalGeneration)
MISTRAL3_WHOLE = (Mistral3Config, Mistral3ForConditionalGeneration)
QWEN2 = (Qwen2Config, Qwen2ForCausalLM)
QWEN3 = (Qwen3Config, Qwen3ForCausalLM)
MIXTRAL = (MixtralConfig, MixtralForCausalLM)
QWEN3_MOE = (Qwen3MoeConfig, Qwen3MoeForCausalLM)
GEMMA2 = (Gemma2Config, Gemma2ForCausalLM)
GEMMA3 = (Gemma3TextConfig, Gemma3ForCausalLM)
PHI3 = (Phi3Config, Phi3ForCausalLM)
OLMO2 = (Olmo2Config, Olmo2ForCausalLM)
OLMO3 = (Olmo3Config, Olmo3ForCausalLM)
GRANITE = (GraniteConfig, GraniteForCausalLM)
GRANITE4 = (GraniteMoeHybridConfig, GraniteMoeHybridForCausalLM)
SMOLLM3 = (SmolLM3Config, SmolLM3ForCausalLM)
COHERE2 = (Cohere2Config, Cohere2ForCausalLM)
GLM4 = (Glm4Config, Glm4ForCausalLM)
STARCODER2 = (Starcoder2Config, Starcoder2ForCausalLM)
GPT2 = (GPT2Config, GPT2LMHeadModel)
NEOX = (GPTNeoXConfig, GPTNeoXForCausalLM)

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

# Within the old length of 32 positions lie features that turn often, little, and in between.
ROPE_YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 32}
ROPE_DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}
ROPE_LONG = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "short_factor": [1.0, 1.1, 1.4],
    "long_factor": [1.0, 1.5, 4.0],
    "original_max_position_embeddings": 16,
    "partial_rotary_factor": 0.75,
}
# Queries grow at positions 8, 16, 24.
ROPE_MINISTRAL3 = {**ROPE_YARN, "original_max_position_embeddings": 8, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.5}
GEMMA3_ROPE = {
    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
}
OLMO3_ROPE = {"full_attention": ROPE_YARN, "sliding_attention": ROPE_PLAIN}
# Layers of both kinds, and a text that is longer than the window.
MIXED = {"num_hidden_layers": 3, "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}

# The other parts of a model whose text is trained, as small as they can be.
IMAGES = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "image_size": 28, "patch_size": 14}
GEMMA3_IMAGES = {"vision_config": IMAGES, "mm_tokens_per_image": 4, "image_token_index": 93, "boi_token_index": 94, "eoi_token_index": 95}
MISTRAL3_IMAGES = {"vision_config": {**IMAGES, "model_type": "pixtral", "head_dim": 8}, "image_token_index": 95}

# Granite's.
MULTIPLIERS = {"embedding_multiplier": 6.0, "logits_scaling": 2.0, "residual_multiplier": 0.4, "attention_multiplier": 0.2, "tie_word_embeddings": True}

EXPERTS = {"head_dim": 16, "num_experts": 16, "num_experts_per_tok": 3, "moe_intermediate_size": 24}

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


# What transformers goes on with from the first tokens of the first row, always taking the likeliest.
GREEDY_PROMPT = 6
GREEDY_TOKENS = 16


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
    checked: bool = True
    # What of the configuration is meant for the text of a model with other parts is `text_config`.
    other_parts: dict | None = None


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
    ModelCase("qwen3-mixed", QWEN3, {**MIXED, "head_dim": 16, "use_sliding_window": True}, seed=14, sequence_length=24),
    ModelCase("llama-yarn", LLAMA, {"rope_parameters": ROPE_YARN, "head_dim": 16}, seed=15, sequence_length=40),
    # Longer than what the model calls its length, which texts that go on come to as well.
    ModelCase("llama-dynamic", LLAMA, {"rope_parameters": ROPE_DYNAMIC, "head_dim": 16, "max_position_embeddings": 16}, seed=35, sequence_length=24),
    ModelCase("gemma2", GEMMA2, {**MIXED, "head_dim": 16, "query_pre_attn_scalar": 24, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0, "tie_word_embeddings": True, "hidden_activation": "gelu_pytorch_tanh"}, seed=16, sequence_length=24),
    ModelCase("gemma3", GEMMA3, {"num_hidden_layers": 7, "sliding_window": 8, "head_dim": 16, "query_pre_attn_scalar": 24, "rope_parameters": GEMMA3_ROPE, "tie_word_embeddings": True}, seed=17, sequence_length=24),
    ModelCase("phi3", PHI3, {"rope_parameters": ROPE_LONG, "original_max_position_embeddings": 16, "pad_token_id": 0}, seed=18, sequence_length=14),
    ModelCase("phi3-long", PHI3, {"rope_parameters": ROPE_LONG, "original_max_position_embeddings": 16, "pad_token_id": 0}, seed=19, sequence_length=24),
    ModelCase("olmo2", OLMO2, {}, seed=20),
    ModelCase("olmo3", OLMO3, {**MIXED, "rope_parameters": OLMO3_ROPE}, seed=21, sequence_length=40),
    ModelCase("granite", GRANITE, MULTIPLIERS, seed=22),
    # As published: layers of attention alone, under their older name, and no experts.
    ModelCase(
        "granite4",
        GRANITE4,
        {**MULTIPLIERS, "num_local_experts": 0, "shared_intermediate_size": 48, "position_embedding_type": "rope", "layer_types": ["full_attention"] * 2, "mamba_n_heads": 8},
        seed=40,
        classic=True,
        classic_extra={"layer_types": ["attention"] * 2, "rope_scaling": None},
    ),
    ModelCase("smollm3", SMOLLM3, {"num_hidden_layers": 4, "tie_word_embeddings": True, "pad_token_id": 0}, seed=23),
    ModelCase("cohere2", COHERE2, {"num_hidden_layers": 4, "sliding_window": 8, "layer_norm_eps": 1e-5, "logit_scale": 0.5, "tie_word_embeddings": True}, seed=24, sequence_length=24),
    ModelCase("glm4", GLM4, {"head_dim": 16, "partial_rotary_factor": 0.5, "pad_token_id": 0}, seed=25),
    ModelCase("starcoder2", STARCODER2, {"norm_epsilon": 1e-5, "tie_word_embeddings": True, "sliding_window": 8, "use_bias": True}, seed=26, sequence_length=24),
    ModelCase("gpt-neox", NEOX, {"layer_norm_eps": 1e-5, "rope_parameters": {**ROPE_PLAIN, "partial_rotary_factor": 0.5}}, seed=27),
    ModelCase("gpt-neox-sequential", NEOX, {"layer_norm_eps": 1e-5, "use_parallel_residual": False, "hidden_act": "gelu_new"}, seed=28),
    ModelCase("mixtral", MIXTRAL, {"num_local_experts": 4, "num_experts_per_tok": 2, "intermediate_size": 48}, seed=29),
    ModelCase("qwen3-moe-all", QWEN3_MOE, {**EXPERTS, "num_experts": 6, "num_experts_per_tok": 2, "norm_topk_prob": True}, seed=32),
    # So many experts that most of them have no token, in every layer but one.
    ModelCase("qwen3-moe", QWEN3_MOE, {**EXPERTS, "num_hidden_layers": 3, "mlp_only_layers": [1]}, seed=30),
    ModelCase("ministral", MINISTRAL, {**MIXED, "head_dim": 16}, seed=36, sequence_length=24),
    ModelCase("ministral3", MINISTRAL3, {"rope_parameters": ROPE_MINISTRAL3, "head_dim": 16}, seed=37, sequence_length=32),
    ModelCase("gemma3-whole", GEMMA3_WHOLE, {"num_hidden_layers": 7, "sliding_window": 8, "head_dim": 16, "query_pre_attn_scalar": 24, "rope_parameters": GEMMA3_ROPE}, seed=38, sequence_length=24, other_parts=GEMMA3_IMAGES),
    ModelCase("ministral3-whole", MISTRAL3_WHOLE, {"model_type": "ministral3", "rope_parameters": ROPE_MINISTRAL3, "head_dim": 16}, seed=39, sequence_length=32, other_parts={**MISTRAL3_IMAGES, "tie_word_embeddings": False}),
    ModelCase("gpt2", GPT2, {"max_position_embeddings": 210, "tie_word_embeddings": True}, seed=33),
    ModelCase("gpt2-scaled", GPT2, {"num_hidden_layers": 3, "max_position_embeddings": 24, "n_inner": 48, "scale_attn_by_inverse_layer_idx": True}, seed=34),
    ModelCase("qwen3-moe-sparse", QWEN3_MOE, {**EXPERTS, "decoder_sparse_step": 2, "norm_topk_prob": True, "tie_word_embeddings": True, "use_sliding_window": True, "sliding_window": 8}, seed=31, sequence_length=24),
]


def randomize(model: PreTrainedModel, seed: int) -> None:
    """Weights of a scale that makes attention, gates and logits far from flat; norms spread around 1."""
    source = generator(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.2, generator=source)
            # Gemma adds the 1 itself.
            if re.search(r"(norm|ln_\w)\.weight$", name) and "gemma" not in model.config.model_type:
                parameter.add_(1.0)


def config_of(case: ModelCase) -> PreTrainedConfig:
    # Classes fill in what is missing, also in dictionaries that cases share.
    config = deepcopy({**SMALL, **case.config})
    if case.other_parts is not None:
        config = {"text_config": config, **deepcopy(case.other_parts)}
    return case.family[0](**config)


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
    model = case.family[1](config_of(case))
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
    # The last three tokens of models with other parts stand for images.
    vocab_size = model.config.get_text_config().vocab_size - (3 if case.other_parts else 0)
    input_ids = torch.randint(3, vocab_size, (2, case.sequence_length), generator=generator(1000 + case.seed))
    attention_mask = torch.ones_like(input_ids)
    attention_mask[1, -4:] = 0
    with torch.no_grad():
        logits = model(input_ids, attention_mask=attention_mask).logits
        if case.checked and case.other_parts is None:
            check_that_it_matters(model, case, input_ids, attention_mask, logits)
        greedy = model.generate(input_ids[:1, :GREEDY_PROMPT], max_new_tokens=GREEDY_TOKENS, do_sample=False, eos_token_id=None)
    return {
        "input_ids": input_ids, "attention_mask": attention_mask, "logits": logits.contiguous(),
        "greedy": greedy[0].contiguous(),
    }


# Values under which a key of a family has no effect.
NEUTRAL = {
    "attn_logit_softcapping": None, "final_logit_softcapping": None, "query_pre_attn_scalar": 16,
    "embedding_multiplier": 1.0, "logits_scaling": 1.0, "residual_multiplier": 1.0, "logit_scale": 1.0,
    "use_parallel_residual": True, "norm_topk_prob": False, "scale_attn_by_inverse_layer_idx": False,
}


def check_that_it_matters(model, case: ModelCase, input_ids, attention_mask, logits) -> None:
    """A golden file that a reader could pass while ignoring the field it was made for would prove nothing."""
    if not 0.5 < logits.std() < 5:
        raise AssertionError(f"{case.name}: logits have a standard deviation of {logits.std():.3f}")
    plain = {}
    if getattr(model.config, "rope_parameters", {}).get("rope_type", "default") != "default":
        plain["rope_parameters"] = {**model.config.rope_parameters, "rope_type": "default"}
    if "llama_4_scaling_beta" in getattr(model.config, "rope_parameters", {}):
        plain["rope_parameters"] = {**model.config.rope_parameters, "llama_4_scaling_beta": 0.0}
    if case.config.get("sliding_window") is not None:
        plain["sliding_window"] = 1000
    plain |= {key: value for key, value in NEUTRAL.items() if key in case.config}
    if not plain:
        return
    for key, value in plain.items():
        without = case.family[1](case.family[0](**deepcopy({**model.config.to_dict(), key: value}))).eval()
        without.set_attn_implementation("eager")
        without.load_state_dict(model.state_dict())
        difference = (without(input_ids, attention_mask=attention_mask).logits - logits).abs().max()
        if difference < 0.05:
            raise AssertionError(f"{case.name}: {key} changes the logits by {difference:.4f} only")


def make_models() -> None:
    for case in CASES:
        make_model(case)
        print(f"models/{case.name}")
