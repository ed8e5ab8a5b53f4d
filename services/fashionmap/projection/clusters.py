"""Groups on the map at three levels, named in words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionmap.projection.words import label_of

MICRO = 600
"""The map is first broken into at most so many pieces; these are then joined."""
UNITS_A_CLUSTER = (160, 48, 16)
"""Units a cluster aimed at, from the coarsest level to the finest, on maps of some thousands."""
MOST = (14, 48, 160)
LEAST = (6, 10, 16)
"""Clusters of a small map, as far as each can have ``FEWEST`` units."""
FEWEST = 6


@dataclass(frozen=True)
class Clusters:
    """Three levels of groups; level 0 is the coarsest.

    Attributes:
        labels: int32 (3, n): the group of each unit at each level.
        groups: For each level, a description of each group, ready for ``clusters.json``.
    """

    labels: NDArray[np.int32]
    groups: list[list[dict[str, Any]]]

    def finest_label(self) -> list[str]:
        """The words of each unit's group at the finest level."""
        words = {g["id"]: g["label"] for g in self.groups[-1]} if self.groups else {}
        return [words.get(int(c), "") for c in self.labels[-1]]


def cluster_map(
    coordinates: NDArray[np.float32],
    categories: list[str],
    colours: list[str],
    patterns: list[str] | None = None,
    *,
    seed: int = 0,
) -> Clusters:
    """Groups points of the map: k-means pieces joined by Ward's method.

    Args:
        coordinates: float32 (n, 2).
        categories: Category of each unit.
        colours: Name of each unit's first colour, or ``""``.
        patterns: Word for each unit's pattern, ``""`` for plain cloth; None for all plain.
        seed: Of k-means.
    """
    count = len(coordinates)
    if count == 0:
        return Clusters(np.zeros((3, 0), np.int32), [[], [], []])
    pieces, centres = _pieces(coordinates, seed)
    sizes = [
        max(1, min(max(count // aim, least), most, count // FEWEST))
        for aim, least, most in zip(UNITS_A_CLUSTER, LEAST, MOST, strict=True)
    ]
    levels = [_join(centres, size)[pieces] for size in sizes]
    labels = np.stack(levels).astype(np.int32)
    words = (categories, colours, patterns or [""] * count)
    groups = [
        [_describe(level, int(group), row == group, coordinates, words) for group in np.unique(row)]
        for level, row in enumerate(labels)
    ]
    return Clusters(labels, groups)


def _pieces(
    coordinates: NDArray[np.float32], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    from sklearn.cluster import MiniBatchKMeans

    distinct = len(np.unique(coordinates, axis=0))
    k = max(1, min(MICRO, len(coordinates) // 4, distinct))
    model = MiniBatchKMeans(k, random_state=seed, n_init=3, batch_size=4096)
    pieces = model.fit_predict(coordinates)
    return pieces.astype(np.int64), np.asarray(model.cluster_centers_, dtype=np.float64)


def _join(centres: NDArray[np.float64], groups: int) -> NDArray[np.int64]:
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(centres) <= groups or len(centres) < 2:
        return np.arange(len(centres), dtype=np.int64)
    tree = linkage(centres, "ward")
    return np.asarray(fcluster(tree, groups, "maxclust"), dtype=np.int64) - 1


def _describe(
    level: int,
    group: int,
    members: NDArray[np.bool_],
    coordinates: NDArray[np.float32],
    words: tuple[list[str], list[str], list[str]],
) -> dict[str, Any]:
    chosen = np.flatnonzero(members)
    points = coordinates[chosen]
    middle = np.median(points, axis=0)
    radius = float(np.quantile(np.linalg.norm(points - middle, axis=1), 0.9))
    return {
        "level": level,
        "id": group,
        "label": label_of(*([column[i] for i in chosen] for column in words)),
        "x": round(float(middle[0]), 4),
        "y": round(float(middle[1]), 4),
        "radius": round(radius, 4),
        "count": len(chosen),
    }
