"""Drawn looks a second, on all cores."""

import tempfile
from pathlib import Path

from benchmarks.clock import seconds
from fashionmap.sample.dataset import write_looks

COUNT = 200


def run() -> None:
    """Prints the rate."""
    with tempfile.TemporaryDirectory() as folder:
        taken, _ = seconds(lambda: write_looks(Path(folder), count=COUNT, seed=1))
    print(f"  {COUNT / taken:.1f} looks/s, with JPEG and masks")
