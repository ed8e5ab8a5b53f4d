"""Figures of an embedder: category accuracy, finding the other view, colour of neighbours."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fashionmap.projection.neighbours import search


def neighbour_accuracy(
    queries: NDArray[np.float32],
    truth: Sequence[str],
    known: NDArray[np.float32],
    labels: Sequence[str],
    *,
    count: int = 5,
) -> float:
    """Share of queries whose ``count`` nearest known garments vote for their category."""
    indices, _ = search(queries, known, count)
    votes = [Counter(labels[i] for i in row).most_common(1)[0][0] for row in indices.tolist()]
    return float(np.mean([v == t for v, t in zip(votes, truth, strict=True)]))


def accuracy_among(vectors: NDArray[np.float32], labels: Sequence[str], *, count: int = 5) -> float:
    """``neighbour_accuracy`` of garments among each other, each without itself."""
    indices, _ = search(vectors, vectors, count + 1)
    right = 0
    for own, row in enumerate(indices.tolist()):
        others = [labels[i] for i in row if i != own][:count]
        right += Counter(others).most_common(1)[0][0] == labels[own]
    return right / len(labels)


def top_k_accuracy(
    queries: NDArray[np.float32],
    products: Sequence[str],
    gallery: NDArray[np.float32],
    gallery_products: Sequence[str],
    *,
    counts: Sequence[int] = (1, 5, 10, 20),
) -> dict[int, float]:
    """Share of queries with their own product among the nearest k of a gallery, by k."""
    most = min(max(counts), len(gallery))
    indices, _ = search(queries, gallery, most)
    rows = zip(indices.tolist(), products, strict=True)
    hits = np.array([[gallery_products[i] == product for i in row] for row, product in rows])
    return {k: float(hits[:, :k].any(axis=1).mean()) for k in counts}


def view_recall(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Share of garments whose other view is the nearest of all other views."""
    indices, _ = search(one, other, 1)
    return float((indices[:, 0] == np.arange(len(one))).mean())


def neighbour_colour_difference(
    vectors: NDArray[np.float32], lab: NDArray[np.float32], *, count: int = 5
) -> float:
    """Mean CIEDE2000 between each garment's leading colour and its neighbours'.

    Args:
        vectors: float32 (n, d).
        lab: CIELAB float32 (n, 3).
        count: Neighbours.
    """
    indices, _ = search(vectors, vectors, count + 1)
    others = indices[:, 1:]
    return float(ciede2000(lab[:, None].repeat(others.shape[1], 1), lab[others]).mean())


def ciede2000(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float64]:
    """Colour difference by Sharma, Wu and Dalal 2005, doi 10.1002/col.20070; (…, 3) to (…)."""
    l1, a1, b1 = np.moveaxis(one.astype(np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(two.astype(np.float64), -1, 0)
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    c1, c2 = np.hypot(a1 * (1 + g), b1), np.hypot(a2 * (1 + g), b2)
    h1 = np.degrees(np.arctan2(b1, a1 * (1 + g))) % 360
    h2 = np.degrees(np.arctan2(b2, a2 * (1 + g))) % 360
    dh = (h2 - h1 + 180) % 360 - 180
    dh = np.where(c1 * c2 == 0, 0, dh)
    big_dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    apart = np.abs(h1 - h2) > 180
    mean_h = np.where(apart, (h1 + h2 + np.where(h1 + h2 < 360, 360, -360)) / 2, (h1 + h2) / 2)
    mean_h = np.where(c1 * c2 == 0, h1 + h2, mean_h)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    turn = 60 * np.exp(-(((mean_h - 275) / 25) ** 2))
    r_t = -2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)) * np.sin(np.radians(turn))
    d_l, d_c, d_h = (l2 - l1) / s_l, (c2 - c1) / s_c, big_dh / s_h
    difference: NDArray[np.float64] = np.sqrt(
        np.maximum(d_l**2 + d_c**2 + d_h**2 + r_t * d_c * d_h, 0)
    )
    return difference
