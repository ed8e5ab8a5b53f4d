"""COCO's compressed run lengths: read, and of strangers checked before a C library decodes them."""

import numpy as np
from numpy.typing import NDArray

from fashionmap.errors import MessageRejected

_LONGEST_NUMBER = 7
"""Characters of one run length: 5 bits each."""


def check_counts(counts: str, *, height: int, width: int) -> str:
    """Returns the counts; ``MessageRejected`` where they are not of a mask of that size.

    pycocotools believes them and would write beyond its memory. The form is that of its
    ``rleFrString``: base 32 from character 48 on, the third number and later as differences.
    """
    runs: list[int] = []
    value, digits = 0, 0
    for character in counts:
        part = ord(character) - 48
        if not 0 <= part < 64 or digits >= _LONGEST_NUMBER:
            raise MessageRejected("A mask's counts are no run lengths.")
        value |= (part & 31) << (5 * digits)
        digits += 1
        if part & 32:
            continue
        if part & 16:
            value -= 1 << (5 * digits)
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, digits = 0, 0
    if digits or min(runs, default=-1) < 0 or sum(runs) != height * width:
        raise MessageRejected(f"A mask's counts are not of {width} × {height} pixels.")
    return counts


def run_lengths(counts: str) -> NDArray[np.int64]:
    """Lengths of zeros and ones in turn, int64 (runs,), of counts that were checked or are ours.

    What pycocotools' ``rleFrString`` reads, of all numbers at once.
    """
    parts = np.frombuffer(counts.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(parts < 32)
    starts = np.concatenate([[0], ends[:-1] + 1])
    digits = ends - starts + 1
    shifts = 5 * (np.arange(len(parts)) - np.repeat(starts, digits))
    numbers = np.add.reduceat((parts & 31) << shifts, starts)
    numbers[(parts[ends] & 16) > 0] -= 1 << 5 * digits[(parts[ends] & 16) > 0]
    for first in (1, 2):  # from the fourth number on they are differences to the one two before
        np.cumsum(numbers[first::2], out=numbers[first::2])
    return numbers


def check_box(box: tuple[float, float, float, float], *, height: int, width: int) -> None:
    """``MessageRejected`` where a box is empty or does not lie on a photo of that size."""
    x, y, w, h = box
    if not (x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= width and y + h <= height):
        raise MessageRejected(f"The box {box} does not lie on {width} × {height} pixels.")
