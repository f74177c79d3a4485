"""Writes data files as the libraries of Python write them: golden/data/.

One set of rows, with what is awkward in it, in every format that is read besides plain text:
Arrow as files and as streams, with the types and compressions that occur, as `Dataset.save_to_disk`
leaves it, and JSON Lines, JSON and CSV compressed with gzip and Zstandard.

Needs `pyarrow`, `zstandard` and `datasets` (versions in requirements-data.txt).
"""

import csv
import gzip
import io
import json
import shutil
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from datasets import Dataset, DatasetDict

FOLDER = Path(__file__).parent / "golden" / "data"

ROWS = [
    {
        "question": f"What is {i}?" if i % 5 else "Ünï “quoted”,\nand two lines",
        "answer": f"It is {i}." if i % 7 else "",
        "score": i / 4 if i % 3 else None,
        "id": i * 10**15,
        "tags": ["a", "bé"][: i % 3],
        "messages": [
            {"role": "user", "content": f"{i}?"},
            {"role": "assistant", "content": "x" * (i % 4)},
        ],
        "ok": i % 2 == 0,
    }
    for i in range(23)
]

SCHEMA = pa.schema(
    [
        ("question", pa.string()),
        ("answer", pa.string()),
        ("score", pa.float64()),
        ("id", pa.int64()),
        ("tags", pa.list_(pa.string())),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("ok", pa.bool_()),
    ]
)


def write_arrow(name: str, table: pa.Table, *, stream: bool, rows: int = 9, **options) -> None:
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(FOLDER / name), table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)


def large(table: pa.Table) -> pa.Table:
    """The same with 64-bit offsets, as polars and large data sets have them."""
    turns = pa.large_list(pa.struct([("role", pa.large_string()), ("content", pa.large_string())]))
    types = {
        "question": pa.large_string(),
        "answer": pa.large_string(),
        "tags": pa.large_list(pa.large_string()),
        "messages": turns,
    }
    return table.cast(pa.schema([(f.name, types.get(f.name, f.type)) for f in table.schema]))


def hashes(count: int) -> bytes:
    """Lines of which none is like another: SHA-256 of the numbers from 0, in hexadecimal."""
    return b"".join(sha256(b"%d" % index).hexdigest().encode() + b"\n" for index in range(count))


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    (FOLDER / "rows.json").write_text(json.dumps(ROWS, ensure_ascii=False, indent=1) + "\n")

    table = pa.Table.from_pylist(ROWS, schema=SCHEMA)
    write_arrow("file.arrow", table, stream=False)
    write_arrow("stream.arrow", table, stream=True)
    write_arrow("lz4.arrow", table, stream=True, compression="lz4")
    write_arrow("zstd.arrow", table, stream=False, compression="zstd")
    write_arrow("large.arrow", large(table), stream=True)
    views = table.select(["question", "answer"]).cast(
        pa.schema([("question", pa.string_view()), ("answer", pa.string_view())])
    )
    write_arrow("views.arrow", views, stream=False)
    answers = table.column("answer").combine_chunks().dictionary_encode()
    dictionary = pa.table({"question": table.column("question"), "answer": answers})
    write_arrow("dictionary.arrow", dictionary, stream=False)
    pq.write_table(table, FOLDER / "groups.parquet", row_group_size=9)
    write_arrow("empty.arrow", table.slice(0, 0), stream=True)

    parts = {"train": Dataset.from_list(ROWS), "test": Dataset.from_list(ROWS[:2])}
    DatasetDict(parts).save_to_disk(str(FOLDER / "saved"))

    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
    text = io.StringIO()
    writer = csv.DictWriter(text, ["question", "answer"], extrasaction="ignore", delimiter="\t")
    writer.writeheader()
    writer.writerows(ROWS)
    half = len(lines) // 2
    zstd = zstandard.ZstdCompressor(level=19, write_checksum=True)
    packed = {
        "rows.jsonl.gz": gzip.compress(lines, mtime=0),
        # Several members after each other, as `cat` makes them.
        "members.jsonl.gz": gzip.compress(lines[:half], mtime=0)
        + gzip.compress(lines[half:], mtime=0),
        "rows.json.gz": gzip.compress((FOLDER / "rows.json").read_bytes(), mtime=0),
        "rows.tsv.gz": gzip.compress(text.getvalue().encode(), mtime=0),
        "rows.jsonl.zst": zstd.compress(lines),
        "frames.jsonl.zst": zstd.compress(lines[:half]) + zstd.compress(lines[half:]),
        # Its second half is the first, from farther back than a block is long.
        "far.txt.zst": zstd.compress(2 * hashes(2200)),
        "rows.tsv.zst": zstandard.ZstdCompressor().compress(text.getvalue().encode()),
    }
    for name, content in packed.items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
