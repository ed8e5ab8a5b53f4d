"""Fetches WEIGHTS_URL into the file named, unless it is there; refuses all but WEIGHTS_SHA256."""

import hashlib
import os
import shutil
import sys
import urllib.request
from pathlib import Path


def digest(path: Path) -> str:
    """SHA-256 of a file, ``""`` where there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(url: str, path: Path, sha256: str) -> None:
    """Puts the file in its place whole and checked, or exits with a sentence."""
    if digest(path) == sha256:
        return
    part = path.with_name(path.name + ".part")
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, part.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except OSError as error:
        sys.exit(f"The weights at {url} cannot be fetched: {error}.")
    if (found := digest(part)) != sha256:
        part.unlink()
        sys.exit(f"The weights at {url} have the hash {found[:12]}…, not {sha256[:12]}….")
    part.replace(path)


if __name__ == "__main__":
    fetch(os.environ["WEIGHTS_URL"], Path(sys.argv[1]), os.environ["WEIGHTS_SHA256"])
