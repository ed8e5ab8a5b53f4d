"""From a Mask R-CNN's raw output to detections with run-length masks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from fashionmap.domain.garment import Detection
from fashionmap.segmentation.paste import masks_from_grids

SMALLEST_AREA = 24
"""Pixels below which a mask is noise, on the scale of a photo of 0.45 megapixels."""
SAME_GARMENT = 0.5
"""Two masks of one category that overlap this much (of the smaller) are one garment."""


def detections_of(
    raw: Mapping[str, NDArray[np.float32]],
    categories: Sequence[str],
    *,
    height: int,
    width: int,
    threshold: float,
) -> list[Detection]:
    """Detections by falling score.

    Args:
        raw: ``boxes`` float32 (n, 4) as x1, y1, x2, y2 in pixels of the photo, ``labels`` (n,)
            from 1, ``scores`` (n,) in [0, 1], ``masks`` float32 (n, 1, m, m) in [0, 1].
        categories: Name of label ``i + 1`` at ``i``.
        height: Rows of the photo.
        width: Columns of the photo.
        threshold: Least score that is kept.

    The score is the box's times the mean probability inside the mask, as Mask Scoring R-CNN
    (arXiv 1903.00241) argues for, without its extra head.
    """
    least = max(SMALLEST_AREA * height * width / 450_000, 1)
    grids = raw["masks"][:, 0]
    confidence = raw["scores"] * _sureness(grids)
    sure = np.flatnonzero(confidence >= threshold)
    pasted = masks_from_grids(grids[sure], raw["boxes"][sure], height=height, width=width)
    found = [
        Detection(categories[int(raw["labels"][i]) - 1], score, bbox, area, mask)
        for i, (mask, area, bbox) in zip(sure, pasted, strict=True)
        if area >= least and (score := round(float(confidence[i]), 5)) > 0
    ]
    return drop_repeats(sorted(found, key=lambda d: -d.score))


def _sureness(grids: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean probability inside each mask (n, m, m); 0 where nothing is inside."""
    inside = grids >= 0.5
    total = np.where(inside, grids, 0).sum(axis=(1, 2))
    mean: NDArray[np.float32] = total / np.maximum(inside.sum(axis=(1, 2)), 1)
    return mean


def drop_repeats(detections: Sequence[Detection]) -> list[Detection]:
    """Leaves out masks that lie mostly inside a better one of their category, or around it."""
    kept: list[Detection] = []
    for detection in detections:
        rivals = [d for d in kept if d.category == detection.category]
        if not rivals or max(_overlaps(detection, rivals)) < SAME_GARMENT:
            kept.append(detection)
    return kept


def rename(detections: Sequence[Detection], names: Mapping[str, str]) -> list[Detection]:
    """Detections under other category names; those without a new name are left out."""
    return [replace(d, category=names[d.category]) for d in detections if d.category in names]


def rle_of(detection: Detection) -> dict[str, object]:
    """The mask as pycocotools takes it."""
    size = [detection.mask.height, detection.mask.width]
    return {"size": size, "counts": detection.mask.counts.encode("ascii")}


def _overlaps(detection: Detection, others: Sequence[Detection]) -> NDArray[np.float64]:
    """Intersection over the smaller area, of one mask with each of the others."""
    iou = coco_mask.iou([rle_of(detection)], [rle_of(d) for d in others], [False] * len(others))[0]
    areas = np.array([d.area for d in others], dtype=np.float64)
    shared = iou * (detection.area + areas) / (1 + iou)
    smaller: NDArray[np.float64] = shared / np.minimum(areas, detection.area)
    return smaller
