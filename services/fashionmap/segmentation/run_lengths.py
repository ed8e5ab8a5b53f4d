"""COCO's compressed text of run lengths, for many masks at once."""

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
    place = np.arange(len(counts)) - np.repeat(firsts, lengths)
    left = counts.copy()
    left[2:] -= np.where(place[2:] > 2, counts[:-2], 0)
    characters = np.zeros((len(counts), DIGITS), dtype=np.uint8)  # 0 where there is none
    going = np.arange(len(counts))
    for digit in range(DIGITS):
        part = left & 31
        left = left >> 5
        more = left != -(part >> 4)
        characters[going, digit] = part + 32 * more + 48
        going, left = going[more], left[more]
        if not len(going):
            break
    used = characters > 0
    text = characters[used].tobytes().decode("ascii")
    ends = np.cumsum(np.add.reduceat(used.sum(axis=1), firsts)).tolist()
    return [text[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
