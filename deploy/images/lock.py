"""Pins what the images install to the versions in this environment: ``make lock``.

Two files, so that a change of a small library leaves torch's layer of gigabytes as it is:
requirements-torch.txt holds torch, torchvision and what they share with everything else (torch
itself pins its CUDA libraries); requirements.txt holds the closure of the rest.
"""

import sys
from importlib.metadata import distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
TORCH = ("torch", "torchvision")
PINNED_BY_TORCH = ("nvidia-", "cuda-", "triton")


def closure(names: list[str], *, without: set[str]) -> set[str]:
    """All distributions that these need, themselves included; extras where they are asked for."""
    found: set[str] = set()
    waiting = [(name, "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        name = canonicalize_name(name)
        if name in without or f"{name}[{extra}]" in found:
            continue
        found.add(f"{name}[{extra}]")
        for text in distribution(name).requires or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(need.name, e) for e in ("", *need.extras)]
    return {entry.split("[")[0] for entry in found}


def write(name: str, packages: set[str]) -> None:
    """Writes one file of pins, sorted."""
    lines = [f"{package}=={version(package).split('+')[0]}\n" for package in sorted(packages)]
    (HERE / name).write_text("# Written by deploy/images/lock.py.\n" + "".join(lines), "utf-8")


def main() -> None:
    """Writes both files."""
    torch = closure(list(TORCH), without=set())
    torch = {name for name in torch if not name.startswith(PINNED_BY_TORCH)}
    needs = [Requirement(text) for text in distribution("fashionmap").requires or []]
    wanted = [n.name for n in needs if n.marker is None or n.marker.evaluate({"extra": "services"})]
    write("requirements-torch.txt", torch)
    write("requirements.txt", closure(wanted, without=set(TORCH)))


if __name__ == "__main__":
    sys.exit(main())
