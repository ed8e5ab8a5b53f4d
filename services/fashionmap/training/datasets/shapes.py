"""What is wrong with an annotation's shape: polygons, masks, boxes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from fashionmap.training.datasets.coco_form import JsonObject

SLACK = 2.0
"""Pixels by which a box may differ from its mask."""
ROWS = 512


def shape_faults(annotation: JsonObject, *, height: int, width: int) -> Iterator[str]:
    """Ends of sentences that begin with the annotation's name; none where all is well."""
    segmentation = annotation.get("segmentation")
    polygons = isinstance(segmentation, list)
    if polygons:
        faults = list(polygon_faults(segmentation or [], height=height, width=width))
        yield from faults
        if any(word in fault for fault in faults for word in ("half a point", "no number")):
            return
    elif not isinstance(segmentation, dict) or "counts" not in segmentation:
        yield "has no mask."
        return
    elif list(segmentation.get("size", ())) != [height, width]:
        yield "has a mask of another size than its image."
        return
    yield from _mask_faults(annotation, height=height, width=width)


def polygon_faults(polygons: list[Any], *, height: int, width: int) -> Iterator[str]:
    """Empty, broken, out of bounds or self-crossing polygons ``[x1, y1, x2, y2, …]``."""
    if not polygons:
        yield "has an empty polygon."
    for polygon in polygons:
        try:
            flat = np.array(polygon, dtype=float)
        except (TypeError, ValueError):
            flat = np.array([np.nan])
        if not np.isfinite(flat).all() or flat.ndim != 1:
            yield "has a polygon with what is no number."
        elif len(flat) % 2:
            yield "has a polygon with half a point."
        elif len(flat) < 6:
            yield "has an empty polygon."
        else:
            yield from _ring_faults(flat.reshape(-1, 2), height=height, width=width)


def _ring_faults(points: NDArray[np.float64], *, height: int, width: int) -> Iterator[str]:
    if (points < -1).any() or (points > (width + 1, height + 1)).any():
        yield "has a polygon that is out of bounds."
    if crosses_itself(points):
        yield "has a polygon that crosses itself."


def _mask_faults(annotation: JsonObject, *, height: int, width: int) -> Iterator[str]:
    try:
        rle = as_rle(annotation["segmentation"], height=height, width=width)
        area, (x, y, w, h) = float(coco_mask.area(rle)), coco_mask.toBbox(rle)
    except (TypeError, ValueError, IndexError, AttributeError):
        yield "has a mask that cannot be read."
        return
    if area <= 0:
        yield "has an empty mask."
        return
    if area > height * width:
        yield "has a mask that cannot be read."
        return
    box = np.array(annotation.get("bbox", ()), dtype=float)
    if box.shape != (4,) or not np.isfinite(box).all():
        yield "has no box."
        return
    true = np.array([x, y, x + w, y + h])
    if np.abs(true - [*box[:2], *(box[:2] + box[2:])]).max() > SLACK:
        yield "has a box that does not fit its mask."


def as_rle(segmentation: Any, *, height: int, width: int) -> Any:
    """A COCO segmentation as compressed RLE, without decoding it."""
    if isinstance(segmentation, list):
        polygons = [p for p in segmentation if len(p) >= 6]
        if not polygons:
            return coco_mask.encode(np.zeros((height, width), np.uint8, order="F"))
        return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    if isinstance(segmentation["counts"], list):
        return coco_mask.frPyObjects(segmentation, height, width)
    return segmentation


def crosses_itself(points: NDArray[np.float64]) -> bool:
    """Whether two edges of a ring of points (n, 2) cross, by the signs of their turns.

    Edges that only touch, as where a polygon runs back along itself, do not cross.
    """
    ring = points[(points != np.roll(points, -1, axis=0)).any(axis=1)]
    count = len(ring)
    if count < 4:
        return False
    straddles = np.empty((count, count), dtype=np.bool_)
    for first in range(0, count, ROWS):
        straddles[first : first + ROWS] = _straddles(ring, first)
    return bool((straddles & straddles.T).any())


def _straddles(ring: NDArray[np.float64], first: int) -> NDArray[np.bool_]:
    """Of edges ``first`` … (rows): do the ends of each edge (columns) lie on both sides?"""
    start = ring[first : first + ROWS, None]
    along = np.roll(ring, -1, axis=0)[first : first + ROWS, None] - start
    away = ring[None] - start
    side = np.sign(along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0])
    apart: NDArray[np.bool_] = side * np.roll(side, -1, axis=1) < 0
    return apart
