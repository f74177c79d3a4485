"""Prints what the package tokenizers makes of awkward_texts.json, and of random ones: encode_texts.py FOLDER...

As JSON: the texts, and for each folder with a tokenizer.json the ids of each text (without special tokens) and the text
that they stand for.
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import Tokenizer

RANGES = [(0x20, 0x7F), (0x20, 0x7F), (0xA0, 0x250), (0x370, 0x400), (0x4E00, 0x4E60), (0x1F600, 0x1F640)]
OTHERS = [0x200D, 0xFE0F, 0x301, 0x3000, 0x0A, 0x0D, 0x09, 0x20, 0x20, 0x20]


def random_texts(count: int) -> list[str]:
    source = random.Random(7)
    letters = [chr(code) for first, end in RANGES for code in range(first, end)] + [chr(code) for code in OTHERS]
    return ["".join(source.choices(letters, k=source.randint(1, 60))) for _ in range(count)]


def main(folders: list[str]) -> None:
    texts = json.loads((Path(__file__).parent / "awkward_texts.json").read_text()) + random_texts(300)
    made = {}
    for folder in folders:
        tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        decoded = [tokenizer.decode(each, skip_special_tokens=False) for each in ids]
        made[folder] = {"ids": ids, "decoded": decoded}
    print(json.dumps({"texts": texts, "folders": made}))


if __name__ == "__main__":
    main(sys.argv[1:])
