"""The study's picture: cut-outs at their place on the map, and all of them in a grid."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fashionmap.projection.overlap import spread_apart
from fashionmap.projection.poster_labels import INK, PAPER, names_of, write_names

POSTER_SIDE = 4000
GRID_SIDE = 4000
MOST_ON_POSTER = 6000
"""More cut-outs than this would be dots; a well-spread part of them is shown."""
COVER = 0.42
"""Share of the paper under cut-outs before they are moved apart."""
LARGEST, SMALLEST = 210.0, 30.0

Thumbnails = Callable[[Sequence[int]], Mapping[int, bytes]]
"""WebP bytes by row."""


def draw_poster(
    coordinates: NDArray[np.float32],
    scores: NDArray[np.float32],
    thumbnails: Thumbnails,
    groups: Sequence[Mapping[str, Any]],
) -> bytes:
    """PNG of cut-outs at their places, moved apart where they would overlap.

    Args:
        coordinates: float32 (n, 2), y downwards.
        scores: float32 (n,); where there are too many units the surer ones are shown.
        thumbnails: Gives WebP cut-outs by row.
        groups: Coarse clusters with ``label``, ``x``, ``y``, ``count``, whose names are written.
    """
    shown = _chosen(coordinates, scores)
    if len(shown) == 0:
        return _png(_empty("Nothing was found to lay out."))
    images = _load(thumbnails(shown.tolist()), shown)
    points, frame = _to_paper(coordinates, shown)
    side = float(np.clip(np.sqrt(COVER * POSTER_SIDE**2 / len(shown)), SMALLEST, LARGEST))
    sizes = np.array([_box(image.size, side) for image in images])
    centres = spread_apart(points, sizes + max(side * 0.06, 2))
    offset, (width, height) = _frame(centres, sizes, margin=POSTER_SIDE * 0.03)
    paper = Image.new("RGB", (width, height), PAPER)
    for image, centre, size in zip(images, centres - offset, sizes, strict=True):
        _paste(paper, image, centre, size)
    middles = frame(np.array([[group["x"], group["y"]] for group in groups]).reshape(-1, 2))
    write_names(paper, names_of(groups, middles, points, centres - offset))
    return _png(paper)


def draw_grid(cells: NDArray[np.int32], shape: tuple[int, int], thumbnails: Thumbnails) -> bytes:
    """PNG of every unit in its cell; cells int32 (n, 2) as (column, row)."""
    if len(cells) == 0:
        return _png(_empty("Nothing was found to lay out."))
    rows, columns = shape
    cell = int(np.clip(GRID_SIDE // max(rows, columns), 12, 170))
    paper = Image.new("RGB", (columns * cell + cell, rows * cell + cell), PAPER)
    for first in range(0, len(cells), 2048):
        block = np.arange(first, min(first + 2048, len(cells)))
        for index, image in zip(block, _load(thumbnails(block.tolist()), block), strict=True):
            size = _fit(image.size, cell * 0.9)
            _paste(paper, image, (cells[index] + 1.0) * cell, size)
    return _png(paper)


def _chosen(coordinates: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """All rows, or the surest one of each of many small fields of the map."""
    if len(coordinates) <= MOST_ON_POSTER:
        return np.arange(len(coordinates))
    fields = int(np.sqrt(MOST_ON_POSTER * 1.6))
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    field = ((coordinates - low) / (high - low + 1e-9) * fields).astype(np.int64)
    key = field[:, 0] * (fields + 1) + field[:, 1]
    best = np.lexsort((-scores, key))
    first = np.unique(key[best], return_index=True)[1]
    return np.sort(best[first])[:MOST_ON_POSTER]


def _to_paper(
    coordinates: NDArray[np.float32], shown: NDArray[np.int64]
) -> tuple[NDArray[np.float64], Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Points in pixels of the paper, and the map from coordinates to it."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    extent = float(max((high - low).max(), 1e-6))
    scale = POSTER_SIDE / extent

    def frame(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        placed: NDArray[np.float64] = (np.asarray(xy, dtype=np.float64) - low) * scale
        return placed

    return frame(coordinates[shown].astype(np.float64)), frame


def _box(size: tuple[int, int], side: float) -> tuple[float, float]:
    """Width and height of equal area side², the longer one at most 1.7 sides."""
    scale = side / np.sqrt(size[0] * size[1])
    scale = min(scale, 1.7 * side / max(size))
    return max(size[0] * scale, 2.0), max(size[1] * scale, 2.0)


def _fit(size: tuple[int, int], side: float) -> tuple[float, float]:
    scale = side / max(size)
    return max(size[0] * scale, 1.0), max(size[1] * scale, 1.0)


def _frame(
    centres: NDArray[np.float64], sizes: NDArray[np.float64], *, margin: float
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    low = (centres - sizes / 2).min(axis=0) - margin
    high = (centres + sizes / 2).max(axis=0) + margin
    width, height = np.ceil(high - low).astype(int)
    return low, (int(width), int(height))


def _paste(paper: Image.Image, image: Image.Image, centre: Any, size: Any) -> None:
    width, height = max(round(float(size[0])), 1), max(round(float(size[1])), 1)
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    paper.paste(small, (round(centre[0] - width / 2), round(centre[1] - height / 2)), small)


def _load(found: Mapping[int, bytes], order: NDArray[np.int64]) -> list[Image.Image]:
    return [Image.open(io.BytesIO(found[int(i)])).convert("RGBA") for i in order]


def _empty(sentence: str) -> Image.Image:
    paper = Image.new("RGB", (900, 300), PAPER)
    font = ImageFont.load_default(size=28)
    ImageDraw.Draw(paper).text((450, 150), sentence, fill=INK, font=font, anchor="mm")
    return paper


def _png(image: Image.Image) -> bytes:
    sink = io.BytesIO()
    image.save(sink, "PNG", compress_level=6)
    return sink.getvalue()
