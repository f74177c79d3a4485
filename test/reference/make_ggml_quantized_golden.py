"""Writes golden/gguf/quantized.safetensors anew with ggml's own quantizers and the package safetensors.

Takes the path of ggml's base library (libggml-base.so of llama.cpp, or of the npm package
@node-llama-cpp/linux-x64).

values        F32 [rows, 256]: weights as models have them, with outliers, of one sign, equal, zero
TYPE.blocks   U8 [rows, bytes]: what `ggml_quantize_chunk` makes of each row
"""

import ctypes
import sys
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from safetensors.numpy import save_file

OUTPUT = Path(__file__).parent / "golden" / "gguf" / "quantized.safetensors"
TYPES = ["Q4_K", "Q5_K", "Q6_K", "Q5_0", "Q5_1", "Q8_0"]


def make_rows(rng: np.random.Generator) -> np.ndarray:
    usual = rng.normal(0, 0.02, (24, 256))
    heavy = rng.standard_t(3, (8, 256)) * 0.02
    shifted = rng.normal(0.05, 0.01, (2, 256))
    one_sign = [np.abs(usual[0]), -np.abs(usual[1])]
    scales = usual[2] * 10.0 ** rng.integers(-6, 2, 256).reshape(8, 32)[:, :1].repeat(32, 1).ravel()
    odd = [np.zeros(256), np.full(256, 0.25), np.full(256, -0.25), np.eye(1, 256, 7)[0]]
    return np.vstack([usual, heavy, shifted, one_sign, [scales], odd]).astype(np.float32)


def main() -> None:
    ggml = ctypes.CDLL(sys.argv[1])
    quantize = ggml.ggml_quantize_chunk
    quantize.restype = ctypes.c_size_t
    pointer, long = ctypes.c_void_p, ctypes.c_int64
    quantize.argtypes = [ctypes.c_int, pointer, pointer, long, long, long, pointer]
    values = make_rows(np.random.default_rng(11))
    tensors = {"values": values}
    for name in TYPES:
        kind = GGMLQuantizationType[name]
        elements, size = GGML_QUANT_SIZES[kind]
        blocks = np.zeros((len(values), 256 // elements * size), np.uint8)
        made = quantize(kind, values.ctypes.data, blocks.ctypes.data, 0, len(values), 256, None)
        assert made == blocks.nbytes
        tensors[f"{name}.blocks"] = blocks
    save_file(tensors, OUTPUT)


if __name__ == "__main__":
    main()
