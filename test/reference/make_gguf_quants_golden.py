"""Writes golden/gguf/quants.safetensors anew with the Python packages gguf and safetensors.

For each storage type that gguf can read:

TYPE.blocks   U8 [n, bytes]: random blocks, blocks with scales at the edges of float16, for types with
              a grid blocks that take every point of it, and rows of weights where gguf can quantize
TYPE.values   F32 [2, elements]: what gguf makes of the first two blocks
TYPE.digests  U8 [n, 8]: the beginning of SHA-256 of the float32 values that it makes of each block
"""

import hashlib
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize, quantize
from safetensors.numpy import save_file

OUTPUT = Path(__file__).parent / "golden" / "gguf" / "quants.safetensors"

# Byte offsets of the float16 scales in a block: random bits there could be infinite.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ1_S": [0], "IQ1_M": [], "IQ2_XXS": [0], "IQ2_XS": [0], "IQ2_S": [0],
    "IQ3_XXS": [0], "IQ3_S": [0], "IQ4_NL": [0], "IQ4_XS": [0],
    "TQ1_0": [52], "TQ2_0": [64], "MXFP4": [],
}  # fmt: skip
EDGES = [0.0, -0.0, 6e-8, -4.1e-6, 6.1e-5, -0.02, 1.0, -65504.0]


def take_every_point(name: str, rng: np.random.Generator) -> np.ndarray:
    """Blocks of a type with a grid in which each point is taken once."""
    points, per_block = {
        "IQ1_S": (2048, 32), "IQ1_M": (2048, 32), "IQ2_XXS": (256, 32), "IQ2_XS": (512, 32),
        "IQ2_S": (1024, 32), "IQ3_XXS": (256, 64), "IQ3_S": (512, 64),
    }[name]  # fmt: skip
    blocks = random_blocks(name, points // per_block, rng)
    index = rng.permutation(points).reshape(-1, per_block)
    low, high = index & 255, index >> 8
    every = np.arange(per_block)
    if name == "IQ2_XXS":
        blocks[:, 2 + every // 4 * 8 + every % 4] = low
    elif name == "IQ2_XS":
        blocks[:, 2 + 2 * every] = low
        blocks[:, 3 + 2 * every] = blocks[:, 3 + 2 * every] & 0xFE | high
    elif name == "IQ1_M":
        blocks[:, every] = low
        pairs = blocks[:, 32:48] & 0x88
        blocks[:, 32:48] = pairs | high[:, ::2] | high[:, 1::2] << 4
    else:
        blocks[:, 2 + every] = low
    if name == "IQ2_S":
        blocks[:, 66:74] = (high.reshape(-1, 8, 4) << np.array([0, 2, 4, 6])).sum(-1)
    elif name == "IQ3_S":
        blocks[:, 66:74] = (high.reshape(-1, 8, 8) << np.arange(8)).sum(-1)
    elif name == "IQ1_S":
        rest = np.ascontiguousarray(blocks[:, 34:50]).view(np.uint16) & 0xF000
        rest = rest | (high.reshape(-1, 8, 4) << np.array([0, 3, 6, 9])).sum(-1).astype(np.uint16)
        blocks[:, 34:50] = rest.view(np.uint8)
    return blocks


def random_blocks(name: str, count: int, rng: np.random.Generator) -> np.ndarray:
    size = GGML_QUANT_SIZES[GGMLQuantizationType[name]][1]
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in SCALES[name]:
        set_scale(blocks, at, rng.normal(0, 0.1, count))
    if name == "IQ1_M":
        # The float16 lies in the high nibbles of four numbers; its own highest byte decides its size.
        blocks[:, 55] = blocks[:, 55] & 0x0F | np.where(blocks[:, 55] & 0x80, 0xA0, 0x20)
    if name == "MXFP4":
        blocks[:, 0] = 100 + np.arange(count) % 40
    return blocks


def set_scale(blocks: np.ndarray, at: int, scales: np.ndarray) -> None:
    blocks[:, at : at + 2] = scales.astype(np.float16).reshape(-1, 1).view(np.uint8)


def edge_blocks(name: str, rng: np.random.Generator) -> np.ndarray:
    blocks = random_blocks(name, len(EDGES), rng)
    for at in SCALES[name]:
        set_scale(blocks, at, np.roll(EDGES, at // 2 % 2))
    if name == "MXFP4":
        blocks[:, 0] = [0, 1, 2, 3, 127, 128, 250, 255]
    if name == "IQ1_M":
        halves = np.array(EDGES).astype(np.float16).view(np.uint16)
        for part in range(4):
            at = 49 + 2 * part
            blocks[:, at] = blocks[:, at] & 0x0F | (halves >> (4 * part) & 15) << 4
    return blocks


def weight_rows(kind: GGMLQuantizationType, rng: np.random.Generator) -> np.ndarray:
    """Rows like those of a linear layer: small, with a few large values."""
    rows = rng.normal(0, 0.02, (4, 256)).astype(np.float32)
    rows[:, 17] *= 30
    rows[3, :64] = 0
    return quantize(rows, kind).reshape(-1, GGML_QUANT_SIZES[kind][1])


def main() -> None:
    tensors = {}
    for name in SCALES:
        rng = np.random.default_rng(7)
        kind = GGMLQuantizationType[name]
        parts = [random_blocks(name, 4, rng), edge_blocks(name, rng)]
        if name[:3] in ("IQ1", "IQ2", "IQ3"):
            parts.append(take_every_point(name, rng))
        try:
            parts.append(weight_rows(kind, rng))
        except NotImplementedError:
            pass  # gguf only reads these.
        blocks = np.concatenate(parts)
        with np.errstate(over="ignore"):
            values = dequantize(blocks, kind)
        assert not np.isnan(values).any(), name
        digests = [hashlib.sha256(row.tobytes()).digest()[:8] for row in values]
        tensors[f"{name}.blocks"] = blocks
        tensors[f"{name}.values"] = values[:2]
        tensors[f"{name}.digests"] = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 8)
    save_file(tensors, OUTPUT)


if __name__ == "__main__":
    main()
