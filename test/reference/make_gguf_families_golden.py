"""golden/gguf/families/: a model of each family, as llama.cpp's own converter writes it.

    python make_gguf_families_golden.py LLAMA_CPP [NAME...]

LLAMA_CPP is a folder with `convert_hf_to_gguf.py`, `conversion/` and `gguf-py/`, such as `vendor/llama.cpp` in the source
archive of llama-cpp-python 0.3.36 (PyPI), which wrote the files. Vocabularies are made up: they are not what is compared.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch

GOLDEN = Path(__file__).parent / "golden"
OUTPUT = GOLDEN / "gguf" / "families"

# A model of golden/models for each, whose layers are as the family has them by default: a GGUF file says no more.
MODELS = [
    "cohere2", "gemma2", "gemma3", "glm4", "gpt-neox", "gpt-neox-sequential", "granite", "llama-yarn", "mixtral",
    "granite4", "gpt2", "ministral3", "olmo2", "olmo3", "phi3", "qwen3", "qwen3-moe-all", "smollm3", "starcoder2",
]  # fmt: skip


def set_vocab(model) -> None:
    size = model.hparams["vocab_size"]
    writer = model.gguf_writer
    writer.add_tokenizer_model("llama")
    writer.add_token_list([f"<0x{byte:02X}>" for byte in range(size)])
    writer.add_token_scores([0.0] * size)
    writer.add_token_types([6] * size)


def with_older_keys(hparams: dict) -> dict:
    """Keys that the converter still asks for and transformers no longer writes."""
    rope = hparams.get("rope_parameters") or {}
    older = {"rotary_pct": rope.get("partial_rotary_factor", 1.0)}
    if "n_positions" in hparams:
        older["n_ctx"] = hparams["n_positions"]
    return {**older, **hparams}


def as_published(hparams: dict) -> dict:
    """What the converter takes a Granite 4 for follows from keys that say nothing there, which published ones have so."""
    if hparams["model_type"] != "granitemoehybrid":
        return hparams
    width = hparams["shared_intermediate_size"]
    kinds = ["attention"] * hparams["num_hidden_layers"]
    return {**hparams, "num_experts_per_tok": 0, "intermediate_size": width, "layer_types": kinds}


def convert(name: str, conversion, gguf) -> None:
    source = GOLDEN / "models" / name
    hparams = as_published(with_older_keys(conversion.ModelBase.load_hparams(source, False)))
    architecture = conversion.get_model_architecture(hparams, conversion.ModelType.TEXT)
    base = conversion.get_model_class(architecture)
    # Of its two kinds, the one without experts.
    base = getattr(base, "Ministral3Model", base)
    model_class = type(base.__name__, (base,), {"set_vocab": set_vocab, "model_arch": base.model_arch})
    with tempfile.TemporaryDirectory() as temporary, torch.inference_mode():
        # Gemma's converter counts the entries of the vocabulary itself.
        folder = Path(shutil.copytree(source, Path(temporary) / name))
        tokens = {f"<0x{byte:02X}>": byte for byte in range(hparams["vocab_size"])}
        (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": tokens}, "added_tokens": []}))
        model_class(folder, gguf.LlamaFileType.MOSTLY_F16, OUTPUT / f"{name}.gguf", hparams=hparams).write()


def main(llama_cpp: str, *names: str) -> None:
    sys.path[:0] = [llama_cpp, f"{llama_cpp}/gguf-py"]
    import conversion
    import gguf

    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in names or MODELS:
        convert(name, conversion, gguf)


if __name__ == "__main__":
    main(*sys.argv[1:])
