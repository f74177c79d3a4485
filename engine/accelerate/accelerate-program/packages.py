"""The packages that the program needs, without importing them: that takes seconds, and fails in words of its own."""

import re
import sys
from importlib import metadata

# The first versions that have all that is called here.
NEEDED = {"torch": (2, 6), "transformers": (5, 0), "peft": (0, 18), "accelerate": (1, 12), "safetensors": (0, 4)}


def versions() -> dict:
    """The versions of Python and of each package; None for one that is missing."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in NEEDED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def problem():
    """What is missing, as code and clause, and the command that installs it; None where nothing is."""
    found = versions()
    missing = [name for name in NEEDED if found[name] is None]
    install = f"{sys.executable} -m pip install --upgrade " + " ".join(NEEDED)
    if missing:
        names = ", ".join(missing)
        return {"code": "python.missing_package", "message": f"{sys.executable} lacks {names}", "install": install}
    for name, least in NEEDED.items():
        if _numbers(found[name]) < least:
            wanted = ".".join(map(str, least))
            return {
                "code": "python.wrong_version",
                "message": f"{sys.executable} has {name} {found[name]}, and {wanted} is the first that will do",
                "install": install,
            }
    return None


def _numbers(version: str) -> tuple:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
