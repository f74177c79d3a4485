"""Writes golden/ anew: python make_golden.py [models] [training] [tables]; without a word, all three."""

import sys

from reference import fix_numerics

from models import make_models
from tables import make_tables
from training import make_training

PARTS = {"models": make_models, "training": make_training, "tables": make_tables}


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"Unknown part {unknown[0]}: choose from {', '.join(PARTS)}.")
    fix_numerics()
    for name, make in PARTS.items():
        if not names or name in names:
            make()


if __name__ == "__main__":
    main(sys.argv[1:])
