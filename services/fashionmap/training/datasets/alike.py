"""Pictures that are the same, or nearly, on both sides of a split."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from fashionmap.training.datasets.pictures import Look

DIFFER = 40
"""Bits of 256 by which the hashes of near-duplicates differ at most: the known pairs of CCP are
within 35, and no other two of its photos are within 56."""
CORRELATE = 0.9
"""Least correlation of their colours; hashes alone say little of pictures on plain ground."""
BLOCK = 256


def alike(one: Mapping[str, Look], other: Mapping[str, Look]) -> Iterator[tuple[str, str, bool]]:
    """Pairs of names, one of each side, and whether the files are equal byte for byte.

    Memory is bounded: hashes are compared by matrix products of blocks of 256 pictures.
    """
    if not one or not other:
        return
    left, right = list(one), list(other)
    table = _signs([one[name] for name in left])
    for first in range(0, len(right), BLOCK):
        names = right[first : first + BLOCK]
        agree = _signs([other[name] for name in names]) @ table.T  # 256 − 2 × bits that differ
        for row, column in np.argwhere(agree >= 256 - 2 * DIFFER):
            a, b = one[left[column]], other[names[row]]
            if a.sha256 == b.sha256 or _correlation(a.thumb, b.thumb) >= CORRELATE:
                yield left[column], names[row], a.sha256 == b.sha256


def _signs(looks: list[Look]) -> NDArray[np.float32]:
    return np.stack([look.bits for look in looks]).astype(np.float32) * 2 - 1


def _correlation(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    """Of two thumbnails' values, in [-1, 1]; 1 where both are of one plain colour."""
    a, b = (t.astype(np.float64).ravel() for t in (one, two))
    if a.std() < 1 or b.std() < 1:
        return 1.0 if np.abs(a - b).mean() < 4 else 0.0
    return float(np.corrcoef(a, b)[0, 1])
