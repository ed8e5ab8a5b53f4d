"""Nearest neighbours by blocked matrix products, or approximately where that wins."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

EXACT_LIMIT = 60_000
"""Points up to which exact neighbours beat an index on 2 cores (see docs/adr/0003)."""
BLOCK_BYTES = 64 * 2**20
"""Of distances at a time and thread."""
WORKERS = min(len(os.sched_getaffinity(0)), 8)


def nearest_neighbours(
    vectors: NDArray[np.float32], count: int, *, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Each point's nearest other points.

    Args:
        vectors: float32 (n, d).
        count: Neighbours wanted; at most n - 1 are given.
        seed: Of the approximate index above 60,000 points.

    Returns:
        Indices int64 (n, k) by rising distance, and Euclidean distances float32 (n, k).
    """
    count = min(count, len(vectors) - 1)
    if len(vectors) > EXACT_LIMIT:
        return _approximate(vectors, count, seed=seed)
    indices, distances = search(vectors, vectors, count + 1)
    return _without_self(indices, distances, count)


def search(
    queries: NDArray[np.float32], points: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Exact nearest points of each query: indices int64 (q, k) and distances float32 (q, k).

    |a - b|² = |a|² + |b|² - 2ab, a block of queries at a time.
    """
    count = min(count, len(points))
    squares = np.einsum("ij,ij->i", points, points)
    rows = max(int(BLOCK_BYTES / (4 * max(len(points), 1))), 1)
    blocks = [queries[first : first + rows] for first in range(0, len(queries), rows)]
    if not blocks:
        return np.empty((0, count), np.int64), np.empty((0, count), np.float32)
    with ThreadPoolExecutor(min(len(blocks), WORKERS)) as workers:
        found = list(workers.map(lambda block: _nearest(block, points, squares, count), blocks))
    return np.concatenate([i for i, _ in found]), np.concatenate([d for _, d in found])


def _nearest(
    block: NDArray[np.float32],
    points: NDArray[np.float32],
    squares: NDArray[np.float32],
    count: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """``search`` for a block of queries; numpy picks and sorts outside Python's lock."""
    far = squares - 2 * (block @ points.T)
    near = np.argpartition(far, count - 1, axis=1)[:, :count]
    values = np.take_along_axis(far, near, axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    values += np.einsum("ij,ij->i", block, block)[:, None]
    indices: NDArray[np.int64] = np.take_along_axis(near, order, axis=1)
    return indices, np.sqrt(np.maximum(values, 0)).astype(np.float32)


def _without_self(
    indices: NDArray[np.int64], distances: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Drops each point from its own list, or the last one where twins hide it."""
    own = indices == np.arange(len(indices))[:, None]
    own[~own.any(axis=1), -1] = True
    keep = ~own
    return indices[keep].reshape(-1, count), distances[keep].reshape(-1, count)


def _approximate(
    vectors: NDArray[np.float32], count: int, *, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    import hnswlib

    index = hnswlib.Index(space="l2", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), ef_construction=120, M=16, random_seed=seed)
    index.add_items(vectors)
    index.set_ef(max(2 * count, 100))
    indices, squares = index.knn_query(vectors, k=count + 1)
    distances = np.sqrt(np.maximum(squares, 0)).astype(np.float32)
    return _without_self(indices.astype(np.int64), distances, count)
