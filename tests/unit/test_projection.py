"""Projection: neighbours, layouts of any size, places of new points, the grid."""

import numpy as np
import pytest

from fashionmap.errors import UsageError
from fashionmap.projection.clusters import cluster_map
from fashionmap.projection.grid import assign_to_grid
from fashionmap.projection.neighbours import nearest_neighbours, search
from fashionmap.projection.overlap import spread_apart
from fashionmap.projection.projector import Projector, ProjectorParameters
from fashionmap.projection.words import label_of, name_colours


def groups(count: int, *, seed: int = 0, dimensions: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Points around five centres, and which centre each is of."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(5, dimensions)) * 4
    label = random.integers(0, 5, count)
    return (centres[label] + random.normal(size=(count, dimensions))).astype(np.float32), label


def test_given_vectors_when_searched_then_neighbours_are_those_of_all_distances() -> None:
    vectors, _ = groups(300)
    indices, distances = nearest_neighbours(vectors, 7)
    full = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.fill_diagonal(full, np.inf)
    np.testing.assert_allclose(distances, np.sort(full, axis=1)[:, :7], rtol=1e-3, atol=1e-3)
    assert not (indices == np.arange(300)[:, None]).any()


def test_given_twins_when_searched_then_nobody_is_their_own_neighbour() -> None:
    vectors = np.zeros((9, 4), np.float32)
    indices, distances = nearest_neighbours(vectors, 3)
    assert not (indices == np.arange(9)[:, None]).any()
    assert (distances == 0).all()


def test_given_groups_when_fitted_then_neighbours_are_of_ones_group() -> None:
    vectors, label = groups(400)
    coordinates = Projector(ProjectorParameters(seed=3)).fit(vectors)
    near, _ = nearest_neighbours(coordinates, 5)
    assert (label[near] == label[:, None]).mean() > 0.95


def test_given_one_seed_when_fitted_twice_then_maps_are_equal() -> None:
    vectors, _ = groups(200)
    one, two = (Projector(ProjectorParameters(seed=5)).fit(vectors) for _ in range(2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 12, 40])
def test_given_few_points_when_fitted_then_all_have_a_place(count: int) -> None:
    vectors, _ = groups(count)
    coordinates = Projector().fit(vectors)
    assert coordinates.shape == (count, 2)
    assert np.isfinite(coordinates).all()


def test_given_equal_points_when_fitted_then_they_have_places() -> None:
    assert np.isfinite(Projector().fit(np.ones((30, 8), np.float32))).all()
    assert len(np.unique(Projector().fit(np.ones((5, 8), np.float32)), axis=0)) == 5


def test_given_new_points_when_transformed_then_they_join_their_group_and_none_moves() -> None:
    vectors, label = groups(400)
    projector = Projector()
    before = projector.fit(vectors[:380]).copy()
    placed = projector.transform(vectors[380:])
    np.testing.assert_array_equal(projector.transform(vectors[380:]), placed)
    near, _ = search(placed, before, 5)
    assert (label[:380][near] == label[380:, None]).mean() > 0.95


@pytest.mark.parametrize("bad", [np.zeros(5), np.array([["a"]]), np.array([[np.nan, 1.0]])])
def test_given_no_matrix_of_numbers_when_fitted_then_one_sentence_says_so(bad) -> None:
    with pytest.raises(UsageError):
        Projector().fit(bad)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 500, 1700])
def test_given_points_when_gridded_then_each_has_a_cell_of_its_own(count: int) -> None:
    points = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    cells, (rows, columns) = assign_to_grid(points)
    assert cells.shape == (count, 2)
    assert len(np.unique(cells, axis=0)) == count
    if count:
        assert cells.min() >= 0
        assert cells[:, 0].max() < columns
        assert cells[:, 1].max() < rows


def test_given_many_points_when_gridded_then_neighbours_stay_together() -> None:
    points = np.random.default_rng(0).normal(size=(2000, 2)).astype(np.float32)
    cells, _ = assign_to_grid(points)
    near, _ = nearest_neighbours(points, 5)
    apart = np.abs(cells[near] - cells[:, None]).max(axis=2)
    anyhow = np.abs(cells[np.random.default_rng(1).permutation(2000)] - cells).max(axis=1)
    assert np.median(apart) <= 3
    assert np.median(anyhow) > 12


def test_given_overlapping_boxes_when_spread_then_hardly_any_overlap() -> None:
    random = np.random.default_rng(0)
    centres, sizes = random.normal(size=(300, 2)) * 150, random.uniform(20, 60, (300, 2))
    moved = spread_apart(centres, sizes)
    deep = (sizes[:, None] + sizes[None]) / 2 - np.abs(moved[:, None] - moved[None])
    hit = (deep > 1.5).all(axis=2)
    np.fill_diagonal(hit, False)
    assert hit.sum() / 2 <= 3


@pytest.mark.parametrize(("count", "least"), [(3, 1), (30, 3), (170, 6), (2000, 10)])
def test_given_a_small_map_when_named_then_it_has_more_than_one_name(
    count: int, least: int
) -> None:
    points, _ = groups(count, dimensions=2)
    found = cluster_map(points, ["top"] * count, ["red"] * count)
    sizes = [len(level) for level in found.groups]
    assert sizes[0] >= least
    assert sizes == sorted(sizes)
    assert all(sum(group["count"] for group in level) == count for level in found.groups)


def test_given_colours_and_categories_when_named_then_words_are_plain() -> None:
    assert name_colours(["#101010", "#f5f5f5", "#c02028"]) == ["black", "white", "red"]
    assert label_of(["pants"] * 9 + ["top"], ["blue"] * 10) == "blue pants"
    assert label_of(["top"] * 4, ["navy"] * 4, ["striped"] * 3 + [""]) == "navy striped tops"
    assert label_of(["top", "dress"] * 5, ["red", "blue"] * 5) in (
        "red tops & dresses",
        "blue tops & dresses",
    )
