"""Mask grids inside boxes, straight to COCO's run lengths at the photo's size.

``torchvision.models.detection.roi_heads.paste_masks_in_image`` builds a float tensor of masks ×
height × width. Here no pixel is touched at all: down a column of the photo the interpolated grid is
a broken line, and where it passes ½ follows from its nodes. The work grows with the width of a
box, not with its area.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashionmap.domain.garment import Mask
from fashionmap.segmentation.run_lengths import compress

Found = tuple[Mask, int, tuple[float, float, float, float]]
"""A mask, its area in pixels, and its tight COCO box ``(x, y, width, height)``."""
ROUNDING = 1e-5
"""How far an interpolated value may lie outside its corners' by float32's rounding, and more."""
MOST_NODES = 1 << 20
"""Grid nodes times columns that are worked on at once: bounds the memory to some 30 MB."""


@dataclass(frozen=True)
class Runs:
    """Vertical runs of pixels, in the order in which COCO reads a photo: column by column.

    Attributes:
        owner: Which mask each is of, ascending, int64 (n,).
        column: int64 (n,).
        start: First row, int64 (n,).
        end: Row after the last, int64 (n,).
    """

    owner: NDArray[np.int64]
    column: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def masks_from_grids(
    grids: NDArray[np.float32], boxes: NDArray[np.float32], *, height: int, width: int
) -> list[Found]:
    """Predicted masks as RLE.

    Args:
        grids: Probabilities float32 (n, m, m) in [0, 1] over the boxes, cells of equal size.
        boxes: float32 (n, 4), ``(x1, y1, x2, y2)`` in pixels of the photo.
        height: Rows of the photo.
        width: Columns of the photo.

    Returns:
        For each the mask of all pixels with probability ≥ ½, its area and its tight box.
    """
    found: list[Found] = []
    for chosen in _chunks(boxes, cells=grids.shape[-1], width=width):
        runs = _runs(grids[chosen], boxes[chosen], height=height, width=width)
        count = len(boxes[chosen])
        texts = compress(*_counts(runs, count, height=height, width=width))
        triples = zip(texts, *_areas_and_boxes(runs, count), strict=True)
        found += [(Mask(height, width, text), area, box) for text, area, box in triples]
    return found


def mask_from_grid(
    grid: NDArray[np.float32], box: tuple[float, float, float, float], *, height: int, width: int
) -> Found:
    """``masks_from_grids`` for one grid (m, m) and its box."""
    boxes = np.array([box], dtype=np.float32)
    return masks_from_grids(grid[None], boxes, height=height, width=width)[0]


def _chunks(boxes: NDArray[np.float32], *, cells: int, width: int) -> Iterator[slice]:
    """As many masks at once as memory allows, at least one."""
    nodes = np.minimum(boxes[:, 2] - boxes[:, 0] + 2, width) * (cells + 2)
    first = 0
    while first < len(boxes):
        fitting = int(np.searchsorted(np.cumsum(nodes[first:]), MOST_NODES))
        yield slice(first, first + max(fitting, 1))
        first += max(fitting, 1)


def _runs(
    grids: NDArray[np.float32], boxes: NDArray[np.float32], *, height: int, width: int
) -> Runs:
    """The runs of all masks."""
    cells = grids.shape[-1]
    x0, x1 = _whole(boxes[:, 0], boxes[:, 2], cells)
    y0, y1 = _whole(boxes[:, 1], boxes[:, 3], cells)
    left, top, bottom = np.maximum(x0, 0), np.maximum(y0, 0), np.minimum(y1, height)
    widths = np.maximum(np.minimum(x1, width) - left, 0)
    owner = np.repeat(np.arange(len(boxes)), widths)
    column = np.arange(len(owner)) + np.repeat(left - np.cumsum(widths) + widths, widths)
    line, depth = _crossings(grids, owner, (column - x0[owner] + 0.5) / (x1 - x0)[owner])
    line = line[0::2]  # the rim is 0: each way in has a way out
    of = owner[line]
    # centre of pixel v of the window, in nodes: (v + ½)·(cells + 2)/(y1 - y0) - ½, solved for v
    stretch, first = ((y1 - y0) / (cells + 2))[of], y0[of]
    ins, outs = ((depth[way::2] + 0.5) * stretch - 0.5 for way in (0, 1))
    start = np.maximum(np.ceil(ins).astype(np.int64) + first, top[of])
    end = np.minimum(np.floor(outs).astype(np.int64) + 1 + first, bottom[of])
    kept = end > start
    return Runs(of[kept], column[line][kept], start[kept], end[kept])


def _whole(
    low: NDArray[np.float32], high: NDArray[np.float32], cells: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Padded boxes in whole pixels, as torchvision's ``paste_mask_in_image`` rounds them."""
    low, high = low.astype(np.float64), high.astype(np.float64)
    middle, half = (low + high) / 2, (high - low) / 2 * (cells + 2) / cells
    start, end = np.trunc(middle - half), np.trunc(middle + half)
    return start.astype(np.int64), np.maximum(end + 1, start + 1).astype(np.int64)


def _crossings(
    grids: NDArray[np.float32], owner: NDArray[np.int64], share: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where columns through the grids, which get a rim of zeros, pass ½ on their way down.

    Only cells with corners on both sides of ½ are looked at: few, for each column the same ones as
    for its neighbours.

    Args:
        grids: float32 (n, m, m).
        owner: Which grid a column is of, ascending, int64 (columns,).
        share: Its place across the padded box, in [0, 1].

    Returns:
        A crossing each, by column and downwards: its column, int64, and its place between the
        m + 2 nodes down the grid, float64.
    """
    cells = grids.shape[-1]
    nodes = cells + 2
    padded = np.zeros((len(grids), nodes, nodes), dtype=np.float32)
    padded[:, 1:-1, 1:-1] = grids.transpose(0, 2, 1)
    down, each, upper, slope = _cells_near_half(padded)
    place = np.clip(share * nodes - 0.5, 0, nodes - 1)
    node = np.minimum(place.astype(np.int64), cells)
    strip = owner * (cells + 1) + node
    times = each[strip]
    line = np.repeat(np.arange(len(owner)), times)
    cell = (np.cumsum(each)[strip] - np.cumsum(times)).take(line)
    cell += np.arange(len(cell))
    values = slope.take(cell, axis=1)
    values *= (place - node).astype(np.float32).take(line)
    values += upper.take(cell, axis=1)
    high = values >= 0.5
    passing = np.flatnonzero(high[0] != high[1])
    above, below = values.take(passing, axis=1).astype(np.float64)
    return line[passing], down[cell[passing]] + (0.5 - above) / (below - above)


def _cells_near_half(
    padded: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Cells between four nodes that may pass ½, strip by strip and downwards.

    Args:
        padded: Nodes float32 (n, m, m), down the last axis.

    Returns:
        The node above each cell; how many each strip between two lines of nodes has, int64
        (n · (m - 1),); and float32 (2, cells): the values at the upper and the lower of its first
        two nodes, and what the other two have more.
    """
    nodes = padded.shape[-1]
    near = np.flatnonzero(_near_half(padded))
    strip, down = np.divmod(near, nodes - 1)
    each = np.bincount(strip, minlength=len(padded) * (nodes - 1))
    corner = (strip + strip // (nodes - 1)) * nodes + down
    values = padded.ravel()
    upper = values[[corner, corner + 1]]
    slope = values[[corner + nodes, corner + nodes + 1]] - upper
    return down, each, upper, slope


def _near_half(padded: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which cells between nodes may pass ½: bool (n, m + 1, m + 1) of float32 (n, m + 2, m + 2)."""
    high, low = padded >= 0.5 - ROUNDING, padded < 0.5 + ROUNDING
    some_high, some_low = (
        s[:, :, 1:] | s[:, :, :-1] for s in (v[:, 1:] | v[:, :-1] for v in (high, low))
    )
    near: NDArray[np.bool_] = some_high & some_low
    return near


def _counts(
    runs: Runs, count: int, *, height: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths of zeros and ones in turn, of all masks one after the other, and how many each has.

    A mask reads column by column; it ends with ones where the last pixel is one.
    """
    pixels = height * width
    before = runs.owner * pixels + runs.column * height
    starts, ends = before + runs.start, before + runs.end
    apart = np.ones(len(starts) + 1, dtype=np.bool_)
    # a run to the last row goes on at the top of the next column, but not in another mask
    apart[1:-1] = (starts[1:] != ends[:-1]) | (runs.owner[1:] != runs.owner[:-1])
    starts, ends, owner = starts[apart[:-1]], ends[apart[1:]], runs.owner[apart[:-1]]
    each = 2 * np.bincount(owner, minlength=count) + 2
    first = np.cumsum(each) - each
    place = 2 * np.arange(len(owner)) + 2 * owner + 1
    bounds = np.empty(int(each.sum()), dtype=np.int64)
    bounds[place], bounds[place + 1] = starts, ends
    bounds[first] = np.arange(count) * pixels
    bounds[first + each - 1] = np.arange(1, count + 1) * pixels
    lengths = bounds[1:] - bounds[:-1]
    kept = np.ones(len(lengths), dtype=np.bool_)
    kept[(first + each - 1)[:-1]] = False
    full = lengths[first + each - 2] == 0
    kept[(first + each - 2)[full]] = False
    return lengths[kept], each - 1 - full


def _areas_and_boxes(
    runs: Runs, count: int
) -> tuple[list[int], list[tuple[float, float, float, float]]]:
    """Pixels of each mask, and its tight box; of empty masks zeros."""
    numbers = np.zeros((count, 5), dtype=np.int64)
    bounds = np.searchsorted(runs.owner, np.arange(count + 1))
    some = np.flatnonzero(bounds[1:] > bounds[:-1])
    if len(some):
        first, last = bounds[some], bounds[some + 1] - 1
        x, y = runs.column[first], np.minimum.reduceat(runs.start, first)
        w, h = runs.column[last] + 1 - x, np.maximum.reduceat(runs.end, first) - y
        areas = np.add.reduceat(runs.end - runs.start, first)
        numbers[some] = np.stack([areas, x, y, w, h], axis=1)
    boxes = [(x, y, w, h) for x, y, w, h in numbers[:, 1:].astype(np.float64).tolist()]
    return numbers[:, 0].tolist(), boxes
