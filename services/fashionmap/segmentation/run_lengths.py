"""COCO's compressed text of run lengths, for many masks at once."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

DIGITS = 7
"""Characters of 5 bits that a run length of up to 2³¹ takes."""


def compress(counts: NDArray[np.int64], lengths: NDArray[np.int64]) -> list[str]:
    """Texts as pycocotools' ``rleToString`` writes them.

    Base 32 from character 48 on, lowest digit first, the sixth bit saying that more come; the
    fourth number of a mask and those after it as differences to the number two before.

    Args:
        counts: Run lengths of all masks, one mask after the other.
        lengths: How many each mask has, at least 1.
    """
    if not len(lengths):
        return []
    firsts = np.cumsum(lengths) - lengths
    left = counts.astype(np.int32)
    left[2:] -= counts[:-2].astype(np.int32)
    for number in (0, 1, 2):  # these three stand as they are
        own = firsts[lengths > number] + number
        left[own] = counts[own]
    digits = _digits(left)
    ends = np.cumsum(digits)
    text = np.empty(ends[-1], dtype=np.uint8)
    place = ends - digits
    while len(left):
        more = np.flatnonzero(digits > 1)
        symbols = ((left & 31) + 48).astype(np.uint8)
        symbols[more] += 32
        text[place] = symbols
        left, digits, place = left[more] >> 5, digits[more] - 1, place[more] + 1
    written = text.tobytes().decode("ascii")
    bounds = [0, *ends[firsts + lengths - 1].tolist()]
    return [written[a:b] for a, b in pairwise(bounds)]


def _digits(numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """How many characters each number takes, with a bit for its sign."""
    size = numbers ^ (numbers >> 31)
    digits = np.ones(len(numbers), dtype=np.int64)
    longer = np.flatnonzero(size >= 1 << 4)
    for digit in range(2, DIGITS + 1):  # fewer and fewer
        digits[longer] = digit
        longer = longer[size[longer] >= 1 << (5 * digit - 1)]
    return digits
