"""The readable parts of a release: its notes, and the licences of everything in it."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
HEAD = """# Licences of what fashionMap {version} ships with

fashionMap itself: Apache-2.0. Names are SPDX's where a package gives one, else its own words. The
images hold Debian's packages of their base image, too: `/usr/share/doc/*/copyright` there.
"""


def notes_of(version: str) -> str:
    """The section of a version in CHANGELOG.md, or what is unreleased where it has none yet."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    sections = dict(re.findall(r"^## \[(.+?)\].*?\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    is_there = version in sections
    title = f"# fashionMap {version}" + ("" if is_there else " (not released yet)")
    body = sections[version if is_there else "Unreleased"].strip()
    return f"{title}\n\n{body}\n"


def licences_of(version: str, bills: Iterable[Path]) -> str:
    """A table a bill of materials."""
    return HEAD.format(version=version) + "".join(_table(bill) for bill in bills)


def _table(bill: Path) -> str:
    parts: Sequence[dict[str, Any]] = json.loads(bill.read_text("utf-8"))["components"]
    rows = sorted(
        f"| {part['name']} | {part['version']} | {licence_words(part)} | "
        f"{'with CUDA alone' if part.get('scope') == 'optional' else ''} |"
        for part in parts
    )
    head = "| what | version | licence | |\n|---|---|---|---|\n"
    return f"\n## {bill.name}\n\n{head}" + "\n".join(rows) + "\n"


def licence_words(part: dict[str, Any]) -> str:
    """The licences of a component of a bill, ``""`` where it has none."""
    named = [e.get("expression") or e["license"] for e in part.get("licenses", [])]
    return ", ".join(n if isinstance(n, str) else n.get("id") or n["name"] for n in named)
