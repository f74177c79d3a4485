"""Writes golden/gguf/ anew, but for quants.safetensors, with gguf, safetensors and tokenizers.

*.gguf               models of golden/models, converted the way llama.cpp's converter does
split/               one of them in parts
tokenizer-*.gguf     vocabularies without weights; tokenizer-*.json holds texts and their ids
"""

import json
from pathlib import Path

import numpy as np
import tokenizers
from gguf import GGMLQuantizationType, GGUFWriter, quantize
from safetensors import safe_open
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

GOLDEN = Path(__file__).parent / "golden"
OUTPUT = GOLDEN / "gguf"

LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
MODEL_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def gguf_name(name: str) -> str:
    module, _, kind = name.rpartition(".")
    if module in MODEL_NAMES:
        return f"{MODEL_NAMES[module]}.{kind}"
    _, _, layer, inner = module.split(".", 3)
    return f"blk.{layer}.{LAYER_NAMES[inner]}.{kind}"


def interleave(rows: np.ndarray, heads: int) -> np.ndarray:
    """From the "rotate half" order of rows to neighbouring pairs."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def make_model(source: str, architecture: str, storage: str, tensors_of_part: int = 0) -> None:
    source_folder = GOLDEN / "models" / source
    config = json.loads((source_folder / "config.json").read_text())
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    folder = OUTPUT / "split" if tensors_of_part else OUTPUT
    folder.mkdir(exist_ok=True)
    file = folder / f"{source}-{storage.lower()}.gguf"
    writer = GGUFWriter(file, architecture, split_max_tensors=tensors_of_part)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config.get("rope_parameters", config)["rope_theta"])
    if config.get("head_dim"):
        writer.add_key_length(config["head_dim"])
        writer.add_value_length(config["head_dim"])
    tokens = [f"<0x{byte:02X}>" for byte in range(config["vocab_size"])]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([6] * len(tokens))
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    with safe_open(source_folder / "model.safetensors", "np") as weights:
        for name in weights.keys():
            values = weights.get_tensor(name)
            if architecture == "llama" and ".q_proj." in name:
                values = interleave(values, heads)
            if architecture == "llama" and ".k_proj." in name:
                values = interleave(values, kv_heads)
            add_tensor(writer, gguf_name(name), values, storage)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_tensor(writer: GGUFWriter, name: str, values: np.ndarray, storage: str) -> None:
    if values.ndim == 1:
        writer.add_tensor(name, values.astype(np.float32))
    elif storage in ("F32", "F16"):
        writer.add_tensor(name, values.astype({"F32": np.float32, "F16": np.float16}[storage]))
    else:
        kind = GGMLQuantizationType[storage]
        writer.add_tensor(name, quantize(values.astype(np.float32), kind), raw_dtype=kind)


CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog didn't mind at all.",
    "In 1234 the king had 567 horses; they'd eat 89 bales of hay.",
    "def add(first, second):\n    return first + second\n\n\n",
    "Über die Brücke läuft ein Mädchen. Le café est fermé à midi.",
    "the the then there therefore them they their these other another weather whether",
]
TEXTS = [
    *CORPUS,
    "",
    " ",
    "   two  spaces and\ttabs \n\n  end  ",
    "IT'S 2024, I'LL say: don't!?",
    "cafe\u0301 日本語 🙂",
    "<|begin|>hello<|end|> the fox",
    "x=1;y=22;z=333;w=4444",
    "XMLHttpRequest's someCamelCase HTTPServer a/b//c ÉcoleÀParis DON'TStop",
]

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
WORDS = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def split(digits: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS % digits), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def split_camel_case(digits: str, ending: str) -> pre_tokenizers.PreTokenizer:
    """GPT-4o's and Tekken's own expressions, from their tokenizer.json."""
    before = r"[^\r\n\p{L}\p{N}]?"
    words = rf"{before}{UPPER}*{LOWER}+{ending}|{before}{UPPER}+{LOWER}*{ending}|{digits}"
    rest = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(f"{words}|{rest}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


PRE_TOKENIZERS = {
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "llama-bpe": split(r"\p{N}{1,3}"),
    "qwen2": split(r"\p{N}"),
    "command-r": pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "dbrx": split(r"\p{N}{1,3}"),
    "gpt-4o": split_camel_case(r"\p{N}{1,3}", CONTRACTIONS + "?"),
    "tekken": split_camel_case(r"\p{N}", ""),
}
NORMALIZED = ("qwen2", "command-r")
IGNORES_MERGES = ("llama-bpe", "tekken")
SPECIAL = ["<|begin|>", "<|end|>"]


def make_bpe_tokenizer(pre: str) -> None:
    tokenizer = tokenizers.Tokenizer(models.BPE(ignore_merges=pre in IGNORES_MERGES))
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[pre]
    tokenizer.decoder = decoders.ByteLevel()
    if pre in NORMALIZED:
        tokenizer.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(
        vocab_size=380,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer = start_tokenizer(f"tokenizer-{pre}", "gpt2", tokenizer)
    writer.add_tokenizer_pre(pre)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens_of(tokenizer)])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_add_bos_token(False)
    finish_tokenizer(writer, f"tokenizer-{pre}", tokenizer)


def make_sentencepiece_tokenizer() -> None:
    """SentencePiece's BPE, trained with tokenizers: the score of a piece is minus its rank."""
    tokenizer = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<unk>", *SPECIAL]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special + bytes_, show_progress=False)
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    # The words of the corpus were only needed for training; SentencePiece merges over whole texts.
    tokenizer.pre_tokenizer = None
    parts = json.loads(tokenizer.to_str())
    parts["added_tokens"] = [token for token in parts["added_tokens"] if token["content"] in special]
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(parts))
    merges = ["".join(merge) for merge in parts["model"]["merges"]]
    tokens = tokens_of(tokenizer)
    writer = start_tokenizer("tokenizer-llama", "llama", tokenizer)
    writer.add_token_scores([float(-merges.index(t)) if t in merges else -1e6 for t in tokens])
    kinds = {"<unk>": 2, **dict.fromkeys(SPECIAL, 3), **dict.fromkeys(bytes_, 6)}
    writer.add_token_types([kinds.get(token, 1) for token in tokens])
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    finish_tokenizer(writer, "tokenizer-llama", tokenizer)


def tokens_of(tokenizer: tokenizers.Tokenizer) -> list[str]:
    vocab = tokenizer.get_vocab()
    return sorted(vocab, key=vocab.__getitem__)


def start_tokenizer(name: str, kind: str, tokenizer: tokenizers.Tokenizer) -> GGUFWriter:
    writer = GGUFWriter(OUTPUT / f"{name}.gguf", "llama")
    writer.add_tokenizer_model(kind)
    writer.add_token_list(tokens_of(tokenizer))
    writer.add_bos_token_id(tokenizer.token_to_id(SPECIAL[0]))
    writer.add_eos_token_id(tokenizer.token_to_id(SPECIAL[1]))
    writer.add_chat_template("{{ messages[0]['content'] }}")
    return writer


def finish_tokenizer(writer: GGUFWriter, name: str, tokenizer: tokenizers.Tokenizer) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    encoded = [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS]
    (OUTPUT / f"{name}.json").write_text(json.dumps(encoded, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    make_model("tinyllama-f16", "llama", "F16")
    make_model("llama2", "llama", "F32")
    make_model("llama2", "llama", "Q8_0")
    make_model("llama2", "llama", "Q8_0", tensors_of_part=8)
    make_model("qwen2", "qwen2", "F32")
    make_model("qwen2", "qwen2", "Q8_0")
    for pre in PRE_TOKENIZERS:
        make_bpe_tokenizer(pre)
    make_sentencepiece_tokenizer()


if __name__ == "__main__":
    main()
