"""golden/export/: what others make of the same adapters and tokenizers that are exported in tests.

    python make_export_golden.py LLAMA_CPP

LLAMA_CPP as in make_gguf_families_golden.py. Adapters are those that runs of golden/training begin with; of those whose
B is zero there and matters, with B as it is at the end, in adapters/.

NAME.merged.safetensors    the adapted weights after PEFT's `merge_and_unload`, in the type of the base
NAME.adapter.gguf          the adapter by `convert_lora_to_gguf.py`
vocabulary/NAME/           a small tokenizer as transformers saves it, with a `config.json`
vocabulary/NAME.gguf       what the converter tells llama.cpp of it
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from reference import GOLDEN, MODELS, TRAINING, fix_numerics, load_model, write_json
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

OUTPUT = GOLDEN / "export"

# Plain, rsLoRA, patterns, BF16, fused layers of two kinds, matrices that lie the other way.
MERGED = ["lora-linear", "lorafa-rslora", "lorafa-patterns", "lorafa-qv-bf16", "family-phi3", "family-gpt-neox", "family-gpt2"]

# Those that llama.cpp's file can say: one alpha and rank for all layers, and layers that its script does not refuse.
ADAPTERS = ["lora-linear", "lorafa-qv-bf16", "family-phi3", "family-gemma3", "family-mixtral"]

TEXTS = [
    "It's 12345 o'clock: naïve  spaces,\n\tGrüße — def f(x): return x**2",
    "the quick brown fox jumps over the lazy dog, then the other one did; it was there that they were then",
] * 3


def model_of(case: str) -> Path:
    return MODELS / json.loads((TRAINING / case / "case.json").read_text())["model"]


def adapter_of(case: str) -> Path:
    own = OUTPUT / "adapters" / case
    return own if own.exists() else TRAINING / case / "adapter_init"


def make_trained(case: str) -> None:
    start = TRAINING / case / "adapter_init"
    folder = OUTPUT / "adapters" / case
    shutil.copytree(start, folder, dirs_exist_ok=True)
    tensors = load_file(start / "adapter_model.safetensors")
    for name, tensor in load_file(TRAINING / case / "golden.safetensors").items():
        if name.startswith("final.base_model"):
            tensors[name.removeprefix("final.")] = tensor
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})


def make_merged(case: str) -> None:
    folder, adapter = model_of(case), adapter_of(case)
    config = json.loads((folder / "config.json").read_text())
    dtype = getattr(torch, config.get("dtype") or config.get("torch_dtype"))
    merged = PeftModel.from_pretrained(load_model(folder, dtype), adapter).merge_and_unload().state_dict()
    with safe_open(adapter / "adapter_model.safetensors", "pt") as file:
        names = sorted({name.removeprefix("base_model.model.").rsplit(".", 2)[0] for name in file.keys()})
    stored = load_model(folder, dtype).state_dict()
    tensors = {f"{name}.weight": merged[f"{name}.weight"].contiguous() for name in names}
    assert all(not torch.equal(tensor, stored[name]) for name, tensor in tensors.items()), case
    save_file(tensors, OUTPUT / f"{case}.merged.safetensors")


def make_adapter(case: str, llama_cpp: str) -> None:
    command = [sys.executable, f"{llama_cpp}/convert_lora_to_gguf.py", "--base", model_of(case)]
    command += ["--outfile", OUTPUT / f"{case}.adapter.gguf", adapter_of(case)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": f"{llama_cpp}/gguf-py"})


def byte_level() -> tuple[Tokenizer, dict]:
    """As Llama 3's: words of its pattern, merges, an end that is named twice."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
    # One that looks special, and one that a person may write.
    tokenizer.add_tokens([AddedToken("<|marker|>", normalized=False), AddedToken("[tool]", normalized=False)])
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A $B", special_tokens=[("<|begin_of_text|>", begin)]
    )
    return tokenizer, {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "pad_token": "<|eot_id|>"}


def sentence_piece() -> tuple[Tokenizer, dict]:
    """As Llama 2's."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["id"] < 3]
    begin = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    state["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [begin, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [begin, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    return Tokenizer.from_str(json.dumps(state)), {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def no_model(self) -> None:
    raise FileNotFoundError("tokenizer.model")


def make_vocabulary(name: str, tokenizer: Tokenizer, special: dict, conversion, gguf) -> None:
    folder = OUTPUT / "vocabulary" / name
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)
    fast.chat_template = "{% for message in messages %}[{{ message.role }}]{{ message.content }}{% endfor %}"
    fast.save_pretrained(folder)
    config = json.loads((MODELS / "llama2" / "config.json").read_text())
    # More than there are tokens, as published models have it.
    config["vocab_size"] = tokenizer.get_vocab_size() + (4 if name == "byte-level" else 0)
    ids = {f"{key}_id": tokenizer.token_to_id(text) for key, text in special.items()}
    write_json(folder / "config.json", {**config, **ids})
    base = conversion.get_model_class("LlamaForCausalLM")
    # The name of a pre-tokenizer is found by a digest over tokens of published vocabularies; there is no
    # `tokenizer.model`, and the package that would read it is not needed.
    known = {"get_vocab_base_pre": lambda self, tokenizer: "llama-bpe", "_set_vocab_sentencepiece": no_model}
    model_class = type(base.__name__, (base,), {**known, "model_arch": base.model_arch})
    with tempfile.TemporaryDirectory() as temporary, torch.inference_mode():
        file = Path(temporary) / "unused.gguf"
        model = model_class(folder, gguf.LlamaFileType.ALL_F32, file, hparams={**config, **ids})
        model.fname_out = OUTPUT / "vocabulary" / f"{name}.gguf"
        model.write_vocab()


def main(llama_cpp: str) -> None:
    fix_numerics()
    (OUTPUT / "vocabulary").mkdir(parents=True, exist_ok=True)
    for case in ["lorafa-qv-bf16", "family-mixtral"]:
        make_trained(case)
    for case in MERGED:
        make_merged(case)
    for case in ADAPTERS:
        make_adapter(case, llama_cpp)
    sys.path[:0] = [llama_cpp, f"{llama_cpp}/gguf-py"]
    import conversion
    import gguf

    make_vocabulary("byte-level", *byte_level(), conversion, gguf)
    make_vocabulary("sentencepiece", *sentence_piece(), conversion, gguf)


if __name__ == "__main__":
    main(sys.argv[1])
