"""Every unit in a regular grid that keeps neighbours together: a linear assignment."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

EXACT = 1500
"""Points up to which one exact assignment is solved."""
LEAF = 400
WINDOW = 20


def grid_shape(count: int, *, aspect: float = 1.0) -> tuple[int, int]:
    """``(rows, columns)`` with at least ``count`` cells; ``aspect`` is width over height."""
    columns = max(int(np.ceil(np.sqrt(count * aspect))), 1)
    return max(int(np.ceil(count / columns)), 1), columns


def assign_to_grid(
    coordinates: NDArray[np.float32], *, aspect: float = 1.0
) -> tuple[NDArray[np.int32], tuple[int, int]]:
    """Cells that keep the map's neighbourhoods, by least sum of squared moves.

    Exact up to 1,500 points. Above, points and cells are halved together along the longer side
    until few are left, those are assigned exactly, and windows that overlap the seams are assigned
    once more: time grows as n log n.

    Args:
        coordinates: float32 (n, 2).
        aspect: Width over height of the grid.

    Returns:
        Cells int32 (n, 2) as ``(column, row)``, all different, and the grid's ``(rows, columns)``.
    """
    rows, columns = grid_shape(len(coordinates), aspect=aspect)
    cells = _cells(len(coordinates), rows, columns)
    wanted = _scaled(coordinates, rows, columns)
    if len(coordinates) <= EXACT:
        order = _solve(wanted, cells)
    else:
        order = _halve(wanted, cells)
        for shift in (0, WINDOW // 2):
            order = _refine(wanted, cells, order, shift=shift)
    return cells[order].astype(np.int32), (rows, columns)


def _cells(count: int, rows: int, columns: int) -> NDArray[np.float64]:
    """The ``count`` cells nearest to the grid's middle, float64 (count, 2)."""
    y, x = np.divmod(np.arange(rows * columns), columns)
    cells = np.stack([x, y], axis=1).astype(np.float64)
    middle = np.array([columns - 1, rows - 1]) / 2
    distance = np.abs((cells - middle) / np.maximum(middle, 1)).max(axis=1)
    distance += 1e-3 * np.linalg.norm(cells - middle, axis=1)
    return cells[np.sort(np.argsort(distance, kind="stable")[:count])]


def _scaled(coordinates: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float64]:
    """The map stretched over the grid; in between plain scale and ranks, so that it fills it."""
    if len(coordinates) == 0:
        return np.zeros((0, 2))
    ranks = np.argsort(np.argsort(coordinates, axis=0, kind="stable"), axis=0) + 0.5
    ranks = ranks / len(coordinates)
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    plain = (coordinates - low) / np.maximum(high - low, 1e-9)
    scaled: NDArray[np.float64] = (0.5 * ranks + 0.5 * plain) * [columns - 1, rows - 1]
    return scaled


def _solve(wanted: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.int64]:
    """Exact: index of the cell of each point."""
    cost = ((wanted[:, None] - cells[None]) ** 2).sum(axis=2)
    return np.asarray(linear_sum_assignment(cost)[1], dtype=np.int64)


def _halve(wanted: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.int64]:
    order = np.empty(len(wanted), dtype=np.int64)
    parts = [(np.arange(len(wanted)), np.arange(len(cells)))]
    while parts:
        points, places = parts.pop()
        if len(points) <= LEAF:
            order[points] = places[_solve(wanted[points], cells[places])]
            continue
        axis = int(np.argmax(np.ptp(cells[places], axis=0)))
        points = points[np.argsort(wanted[points, axis], kind="stable")]
        places = places[np.argsort(cells[places, axis], kind="stable")]
        half = len(points) // 2
        parts += [(points[:half], places[:half]), (points[half:], places[half:])]
    return order


def _refine(
    wanted: NDArray[np.float64],
    cells: NDArray[np.float64],
    order: NDArray[np.int64],
    *,
    shift: int,
) -> NDArray[np.int64]:
    """Assigns each window of cells once more among the points that sit in it."""
    refined = order.copy()
    window = ((cells[order] + shift) // WINDOW).astype(np.int64)
    _, group = np.unique(window, axis=0, return_inverse=True)
    by_group = np.argsort(group.ravel(), kind="stable")
    for points in np.split(by_group, np.cumsum(np.bincount(group.ravel()))[:-1]):
        places = order[points]
        refined[points] = places[_solve(wanted[points], cells[places])]
    return refined
