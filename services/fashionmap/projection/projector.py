"""Vectors to the plane: PCA, neighbours, t-SNE."""

import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionmap.errors import UsageError
from fashionmap.projection.neighbours import nearest_neighbours, search

TOO_FEW = 8
"""Below so many points t-SNE has nothing to say: they are laid out by PCA."""
MANY = 4000
"""Above so many points repulsion is interpolated on a grid (FIt-SNE, Linderman et al. 2019, doi
10.1038/s41592-018-0308-4), below by Barnes-Hut."""
NODES, INTERVAL = 4, 2
"""Nodes an interval, and its length in units of the map. openTSNE's own 3 and 1 take twice as long
and are no truer: see docs/adr/0006."""
OPENNESS = 0.9
"""Late exaggeration of large maps: with a little less attraction neighbours of neighbours part
sooner, so fewer iterations keep as many neighbours (see docs/adr/0006)."""
REDUCE_ABOVE = 256
"""Longer vectors are reduced by PCA first, as the study did with VGG's 4,096."""


@dataclass(frozen=True)
class ProjectorParameters:
    """Everything that decides a projection.

    Attributes:
        perplexity: t-SNE's perplexity; 0 chooses 30, or less where there are few points.
        seed: Of PCA, of the index and of the initial layout.
        early_iterations: Iterations with early exaggeration 12.
        iterations: Iterations after it on small maps.
        many_iterations: Iterations after it on maps of over 4,000 points.
        components: Dimensions that longer vectors are reduced to.
    """

    perplexity: float = 0.0
    seed: int = 0
    early_iterations: int = 125
    iterations: int = 500
    many_iterations: int = 425
    components: int = 128

    def to_json(self) -> dict[str, Any]:
        """For ``map.json``."""
        return {"method": "t-SNE (openTSNE)", **asdict(self)}


class Projector:
    """t-SNE (van der Maaten and Hinton 2008) with exact neighbours, by openTSNE.

    ``fit`` lays points out; ``transform`` places new ones among them without moving any.
    """

    def __init__(self, parameters: ProjectorParameters | None = None) -> None:
        self.parameters = parameters or ProjectorParameters()
        self._vectors = np.zeros((0, 1), np.float32)
        self._coordinates = np.zeros((0, 2), np.float32)

    def fit(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates float32 (n, 2), centred on 0, of vectors float32 (n, d); any n ≥ 0.

        Raises:
            UsageError: The vectors are not a finite matrix.
        """
        checked = check_vectors(vectors)
        self._vectors = checked
        layout = self._small(checked) if len(checked) < TOO_FEW else self._tsne(checked)
        self._coordinates = (layout - layout.mean(axis=0)) if len(layout) else layout
        return self._coordinates

    def transform(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates float32 (m, 2) of new vectors among the fitted ones, which stay."""
        return place(vectors, self._vectors, self._coordinates)

    def _small(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(vectors) < 2:
            return np.zeros((len(vectors), 2), np.float32)
        flat = _principal(vectors, 2, self.parameters.seed)
        spread = float(np.abs(flat).max())
        if spread < 1e-6:  # all alike: on a ring
            angle = np.linspace(0, 2 * np.pi, len(vectors), endpoint=False)
            return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32) * 5
        return (flat / spread * 10).astype(np.float32)

    def _tsne(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        from openTSNE import TSNEEmbedding, affinity
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

        chosen, jobs = self.parameters, os.cpu_count() or 1
        reduced = vectors
        if vectors.shape[1] > REDUCE_ABOVE:
            reduced = _principal(vectors, chosen.components, chosen.seed)
        perplexity = self._perplexity(len(vectors))
        neighbours = nearest_neighbours(reduced, int(3 * perplexity) + 1, seed=chosen.seed)
        affinities = affinity.PerplexityBasedNN(
            perplexity=perplexity,
            knn_index=PrecomputedNeighbors(*neighbours),
            n_jobs=jobs,
            random_state=chosen.seed,
        )
        start = _principal(reduced, 2, chosen.seed).astype(np.float64)
        start = start / max(float(np.std(start[:, 0])), 1e-12) * 1e-4
        start += np.random.default_rng(chosen.seed).normal(scale=1e-6, size=start.shape)
        many = len(vectors) > MANY
        layout = TSNEEmbedding(
            start,
            affinities,
            negative_gradient_method="fft" if many else "bh",
            n_interpolation_points=NODES,
            ints_in_interval=INTERVAL,
            n_jobs=jobs,
            random_state=chosen.seed,
        )
        layout.optimize(chosen.early_iterations, exaggeration=12, momentum=0.5, inplace=True)
        late = chosen.many_iterations if many else chosen.iterations
        layout.optimize(late, exaggeration=OPENNESS if many else 1, momentum=0.8, inplace=True)
        return np.array(layout, dtype=np.float32)

    def _perplexity(self, count: int) -> float:
        wanted = self.parameters.perplexity or 30.0
        return max(min(wanted, (count - 1) / 3 - 1 / 3), 1.5)


def place(
    vectors: NDArray[np.float32],
    fitted: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    *,
    count: int = 12,
) -> NDArray[np.float32]:
    """Places new vectors at the middle of the densest company of their neighbours.

    Weights fall as exp(-(d² - d₁²) / 2σ²) with σ the distance to the fifth neighbour; neighbours
    that lie elsewhere on the map than most of the weight are left out.
    """
    checked = check_vectors(vectors)
    if len(fitted) == 0 or len(checked) == 0:
        return np.zeros((len(checked), 2), np.float32)
    indices, distances = search(checked, fitted, count)
    sigma = distances[:, min(4, distances.shape[1] - 1)][:, None] + 1e-6
    weights = np.exp(-(distances**2 - distances[:, :1] ** 2) / (2 * sigma**2))
    around = coordinates[indices]
    apart = np.linalg.norm(around[:, :, None] - around[:, None], axis=-1)
    reach = 0.03 * float(np.ptp(coordinates, axis=0).max()) + 1e-6
    company = (weights[:, None] * (apart < reach)).sum(axis=2)
    middle = np.argmax(company, axis=1)
    near = np.take_along_axis(apart, middle[:, None, None], axis=1)[:, 0] < reach
    kept = weights * near
    placed: NDArray[np.float32] = (around * kept[..., None]).sum(axis=1) / kept.sum(axis=1)[:, None]
    return placed.astype(np.float32)


def check_vectors(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors as contiguous float32 (n, d); ``UsageError`` where they are none."""
    array = np.asarray(vectors)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise UsageError(f"Vectors are a matrix of numbers, not {array.dtype} {array.shape}.")
    floats = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(floats).all():
        raise UsageError("Some vectors hold values that are no finite numbers.")
    return floats


def _principal(vectors: NDArray[np.float32], components: int, seed: int) -> NDArray[np.float32]:
    """Scores of the first principal components, float32 (n, components)."""
    from sklearn.decomposition import PCA

    if not (vectors.std(axis=0) > 0).any():
        return np.zeros((len(vectors), components), np.float32)
    possible = min(components, *vectors.shape)
    scores = PCA(possible, svd_solver="auto", random_state=seed).fit_transform(vectors)
    padded = np.zeros((len(vectors), components), np.float32)
    padded[:, :possible] = scores
    return padded
