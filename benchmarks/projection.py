"""Ours against scikit-learn's TSNE at 10,000 × 64: seconds, and neighbours kept."""

import numpy as np
from sklearn.manifold import TSNE

from benchmarks.clock import seconds
from fashionmap.projection.neighbours import nearest_neighbours
from fashionmap.projection.projector import Projector, ProjectorParameters

COUNT, DIMENSIONS = 10_000, 64


def run() -> None:
    """Prints both and the ratios."""
    vectors = garment_like(COUNT, DIMENSIONS)
    ours, layout = seconds(lambda: Projector(ProjectorParameters(perplexity=30)).fit(vectors))
    theirs, other = seconds(
        lambda: TSNE(perplexity=30, n_jobs=-1, random_state=0).fit_transform(vectors)
    )
    kept, kept_by_them = knn_kept(vectors, layout), knn_kept(vectors, other)
    print(f"  ours          {ours:7.1f} s   KNN@10 {kept:.4f}")
    print(f"  scikit-learn  {theirs:7.1f} s   KNN@10 {kept_by_them:.4f}")
    print(f"  {theirs / ours:.1f} times as fast, {kept / kept_by_them:.3f} of its KNN@10")


def garment_like(count: int, dimensions: int) -> np.ndarray:
    """Unit vectors in clusters of clusters, as embeddings of clothes are."""
    random = np.random.default_rng(0)
    kinds = random.normal(size=(13, dimensions))
    styles = kinds[random.integers(0, 13, 150)] + 0.7 * random.normal(size=(150, dimensions))
    vectors = styles[random.integers(0, 150, count)] + 0.5 * random.normal(size=(count, dimensions))
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32)


def knn_kept(vectors: np.ndarray, layout: np.ndarray) -> float:
    """Share of the ten nearest vectors that are among the ten nearest points."""
    high = nearest_neighbours(vectors, 10)[0].tolist()
    low = nearest_neighbours(np.ascontiguousarray(layout, np.float32), 10)[0].tolist()
    return float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(high, low, strict=True)]))
