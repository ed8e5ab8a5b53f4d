"""From a Mask R-CNN's raw output to detections with run-length masks."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fashionmap.domain.garment import Detection
from fashionmap.segmentation.paste import masks_from_grids

SMALLEST_AREA = 24
"""Pixels below which a mask is noise, on the scale of a photo of 0.45 megapixels."""


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
    return sorted(found, key=lambda d: -d.score)


def _sureness(grids: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean probability inside each mask (n, m, m); 0 where nothing is inside."""
    inside = grids >= 0.5
    total = np.where(inside, grids, 0).sum(axis=(1, 2))
    mean: NDArray[np.float32] = total / np.maximum(inside.sum(axis=(1, 2)), 1)
    return mean
