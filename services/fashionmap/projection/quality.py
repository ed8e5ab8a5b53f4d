"""How well a map keeps what the vectors say."""

import numpy as np
from numpy.typing import NDArray

from fashionmap.projection.neighbours import search

QUERIES = 5000
TRUSTED = 2000


def map_quality(
    vectors: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    categories: list[str],
    *,
    seed: int = 0,
) -> dict[str, float]:
    """Figures for ``map.json``, each in [0, 1]; on up to 5,000 points drawn at random.

    ``knn_preservation_10``: share of the ten nearest vectors that are among the ten nearest points
    of the map. ``trustworthiness``: Venna and Kaski 2001, k = 10, on up to 2,000 points.
    ``category_purity_10``: share of the ten nearest points of the map that are of its category.
    """
    if len(vectors) < 12:
        return {}
    random = np.random.default_rng(seed)
    drawn = np.sort(random.permutation(len(vectors))[:QUERIES])
    high = search(vectors[drawn], vectors, 11)[0]
    low = search(coordinates[drawn], coordinates, 11)[0]
    labels = np.array(categories)
    return {
        "knn_preservation_10": round(_overlap(high, low, drawn), 4),
        "trustworthiness": round(_trustworthiness(vectors, coordinates, random), 4),
        "category_purity_10": round(_purity(low, drawn, labels), 4),
    }


def _overlap(high: NDArray[np.int64], low: NDArray[np.int64], own: NDArray[np.int64]) -> float:
    shared = [
        len((set(a) - {me}) & (set(b) - {me})) / 10
        for a, b, me in zip(high.tolist(), low.tolist(), own.tolist(), strict=True)
    ]
    return min(float(np.mean(shared)), 1.0)


def _purity(low: NDArray[np.int64], own: NDArray[np.int64], labels: NDArray[np.str_]) -> float:
    same = (labels[low] == labels[own][:, None]) & (low != own[:, None])
    return float(same.sum() / (low != own[:, None]).sum())


def _trustworthiness(
    vectors: NDArray[np.float32], coordinates: NDArray[np.float32], random: np.random.Generator
) -> float:
    from sklearn.manifold import trustworthiness

    drawn = random.permutation(len(vectors))[:TRUSTED]
    count = min(10, (len(drawn) - 1) // 2)
    return float(trustworthiness(vectors[drawn], coordinates[drawn], n_neighbors=count))
