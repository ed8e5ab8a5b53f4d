"""What the naming network learns from: true garments, and what a segmenter takes for some."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from fashionmap.domain.taxonomy import PERSON
from fashionmap.segmentation.model import MaskRCNNSegmenter
from fashionmap.segmentation.paste import masks_from_grids
from fashionmap.training.datasets.coco_form import decode_segmentation
from fashionmap.training.segmenter.samples import Labelled, read_rgb

NOTHING = 0
"""Label of what is no garment."""
FITS, MISSES = 0.5, 0.3
"""Intersection over union with a true mask from which a found one is that garment, and below which
it is nothing; between them nobody knows."""
GRID = 56
"""Cells along each side of a mask inside its box."""


@dataclass(frozen=True)
class Candidate:
    """A garment, or what was taken for one.

    Attributes:
        box: float32 x1, y1, x2, y2 in pixels of the photo.
        grid: Mask inside the box, uint8 (56, 56) in 0..255.
        label: What it is, from 1; 0 for nothing.
        guess: The segmenter's label; 0 where the mask is the true one.
    """

    box: NDArray[np.float32]
    grid: NDArray[np.uint8]
    label: int
    guess: int


def candidates_of(photo: Labelled, segmenter: MaskRCNNSegmenter) -> list[Candidate]:
    """The true garments of a photo, then those found ones of which it is known what they are.

    Raises:
        DatasetRejected: The photo cannot be read.
    """
    person = segmenter.labels.index(PERSON) + 1 if PERSON in segmenter.labels else 0
    garments = [a for a in photo.annotations if not a.get("iscrowd") and a["label"] != person]
    ignored = [_rle(a, photo) for a in photo.annotations if a.get("iscrowd")]
    true = [_rle(a, photo) for a in garments]
    labels = [int(a["label"]) for a in garments]
    masks = [coco_mask.decode(rle) for rle in true]
    drawn = [
        Candidate(*_inside(mask), label, NOTHING)
        for mask, label in zip(masks, labels, strict=True)
        if mask.any()
    ]
    return [*drawn, *_found(read_rgb(photo.path), segmenter, true, labels, ignored, person)]


def _found(
    pixels: NDArray[np.uint8],
    segmenter: MaskRCNNSegmenter,
    true: Sequence[dict[str, object]],
    labels: Sequence[int],
    ignored: Sequence[dict[str, object]],
    person: int,
) -> Iterator[Candidate]:
    raw = segmenter.found(pixels)
    grids, size = raw["masks"][:, 0], {"height": pixels.shape[0], "width": pixels.shape[1]}
    pasted = masks_from_grids(grids, raw["boxes"], **size)
    for box, grid, guess, (mask, area, _) in zip(
        raw["boxes"], grids, raw["labels"], pasted, strict=True
    ):
        if int(guess) == person or not area:
            continue
        rle = {"size": list(pixels.shape[:2]), "counts": mask.counts.encode("ascii")}
        fits = coco_mask.iou([rle], true, [0] * len(true))[0] if true else np.zeros(1)
        unknown = coco_mask.iou([rle], ignored, [1] * len(ignored)).max() if ignored else 0
        best = int(np.argmax(fits))
        if fits[best] >= FITS:
            label = labels[best]
        elif fits[best] < MISSES and unknown < FITS:
            label = NOTHING
        else:
            continue
        cells = cv2.resize(grid, (GRID, GRID)) if len(grid) != GRID else grid
        yield Candidate(box, np.rint(cells * 255).astype(np.uint8), label, int(guess))


def _rle(annotation: dict[str, object], photo: Labelled) -> dict[str, object]:
    mask = decode_segmentation(annotation["segmentation"], height=photo.height, width=photo.width)
    rle: dict[str, object] = coco_mask.encode(np.asfortranarray(mask))
    return rle


def _inside(mask: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A mask's box and grid."""
    x, y, w, h = cv2.boundingRect(mask)
    shown = mask[y : y + h, x : x + w] * np.uint8(255)
    grid: NDArray[np.uint8] = cv2.resize(shown, (GRID, GRID), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return np.array([x, y, x + w, y + h], np.float32), grid
