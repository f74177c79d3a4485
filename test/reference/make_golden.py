"""Writes golden/ anew: python make_golden.py [models] [optimizers] [training] [tables]; without a word, all of it."""

import sys

from reference import fix_numerics

from models import make_models
from optimizers import make_optimizers
from tables import make_tables
from training import make_training

PARTS = {
    "models": make_models,
    "optimizers": make_optimizers,
    "training": make_training,
    "tables": make_tables,
}


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
