"""Reads GGUF files with the package `gguf`.

    python check_gguf.py FILE...

Prints `[{name: digest}]`: for each tensor of each file the SHA-256 of its values as float32.
"""

import hashlib
import json
import sys

import gguf
import numpy as np


def values(tensor):
    return gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)


print(json.dumps([
    {tensor.name: hashlib.sha256(values(tensor).tobytes()).hexdigest() for tensor in gguf.GGUFReader(file).tensors}
    for file in sys.argv[1:]
]))
