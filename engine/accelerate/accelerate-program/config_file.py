"""Prints what a configuration file of Accelerate says, as JSON: PyYAML comes with Accelerate."""

import json
import sys

try:
    import yaml
except ImportError:
    sys.exit(f"{sys.executable} lacks accelerate; run: {sys.executable} -m pip install accelerate")

try:
    with open(sys.argv[1], encoding="utf-8") as file:
        print(json.dumps(yaml.safe_load(file), default=str, allow_nan=False))
except (OSError, ValueError, yaml.YAMLError) as error:
    sys.exit(" ".join(str(error).split()))
