"""Moves boxes apart until none overlaps, as little as possible."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

PATIENCE, GROWTH = 20, 1.03
"""After so many rounds with overlaps all centres move apart by so much, so that rounds end."""
STRIDE = 2.0
"""Over-relaxation of a round's mean push."""


def spread_apart(
    centres: NDArray[np.float64], sizes: NDArray[np.float64], *, rounds: int = 400
) -> NDArray[np.float64]:
    """Centres float64 (n, 2) of boxes of ``sizes`` (n, 2) that overlap no more, or hardly.

    Each round pushes every overlapping pair apart along the side where it overlaps least, half
    each; rounds end when nothing overlaps.
    """
    moved = centres.astype(np.float64).copy()
    if len(moved) < 2:
        return moved
    moved += np.random.default_rng(0).normal(scale=1e-3, size=moved.shape)
    reach = float(sizes.max())
    for number in range(rounds):
        if number % PATIENCE == PATIENCE - 1:
            middle = moved.mean(axis=0)
            moved = middle + (moved - middle) * GROWTH
        pairs = cKDTree(moved).query_pairs(reach, p=np.inf, output_type="ndarray")
        push = _push(moved, sizes, pairs)
        if push is None:
            break
        moved += push
    return moved


def _push(
    centres: NDArray[np.float64], sizes: NDArray[np.float64], pairs: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """Moves of one round, or None where nothing overlaps by more than half a pixel."""
    if len(pairs) == 0:
        return None
    one, two = pairs[:, 0], pairs[:, 1]
    apart = centres[two] - centres[one]
    deep = (sizes[one] + sizes[two]) / 2 - np.abs(apart)
    hit = (deep > 0.5).all(axis=1)
    if not hit.any():
        return None
    one, two, apart, deep = one[hit], two[hit], apart[hit], deep[hit]
    axis = deep.argmin(axis=1)
    rows = np.arange(len(axis))
    direction = np.where(apart[rows, axis] >= 0, 1.0, -1.0)
    step = np.zeros_like(apart)
    step[rows, axis] = direction * (deep[rows, axis] / 2 + 0.25)
    moves = np.zeros_like(centres)
    np.add.at(moves, one, -step)
    np.add.at(moves, two, step)
    hits = np.bincount(np.concatenate([one, two]), minlength=len(centres))
    return moves / np.maximum(hits, 1)[:, None] * STRIDE
