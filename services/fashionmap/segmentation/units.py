"""From detections to the units of the map: garments, and the whole look."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from fashionmap.domain.garment import Detection, Garment, Mask
from fashionmap.domain.taxonomy import LOOK, PERSON

SAME_GARMENT = 0.5
"""Two masks of one category that overlap this much (of the smaller) are one garment."""
SAME_PLACE = 0.55
"""Intersection over union beyond which two garments are one, whatever their categories."""


def units_of(photo_id: str, detections: Sequence[Detection]) -> tuple[Garment, ...]:
    """Garments by falling score, then the look where something is worn.

    Two detections of one garment are one unit here, though not in `fashionmap segment`, where
    each counts by its score. The look's mask is the union of all garments; where a person model
    ran, it is the person.
    """
    if not detections:
        return ()
    worn = one_a_place(drop_repeats([d for d in detections if d.category != PERSON]))
    garments = [
        Garment(id=f"{photo_id[:16]}-{n}", unit="garment", detection=d) for n, d in enumerate(worn)
    ]
    people = [d for d in detections if d.category == PERSON]
    look = people[0] if people else union_of(worn)
    whole = Garment(id=f"{photo_id[:16]}-look", unit=LOOK, detection=replace(look, category=LOOK))
    return (*garments, whole)


def drop_repeats(detections: Sequence[Detection]) -> list[Detection]:
    """Leaves out masks that lie mostly inside a better one of their category, or around it."""
    kept: list[Detection] = []
    for detection in detections:
        rivals = [d for d in kept if d.category == detection.category]
        if not rivals or max(_shares(detection, rivals)) < SAME_GARMENT:
            kept.append(detection)
    return kept


def one_a_place(detections: Sequence[Detection]) -> list[Detection]:
    """Leaves out what covers the same place as something surer: a jacket that may be a top.

    Garments that lie over others keep their own masks, so a belt and a dress stay both.
    """
    kept: list[Detection] = []
    for detection in detections:
        if not kept or max(_overlaps(detection, kept)) < SAME_PLACE:
            kept.append(detection)
    return kept


def _shares(detection: Detection, others: Sequence[Detection]) -> NDArray[np.float64]:
    """Intersection over the smaller area, of one mask with each of the others."""
    iou = np.array(_overlaps(detection, others))
    areas = np.array([d.area for d in others], dtype=np.float64)
    shared = iou * (detection.area + areas) / (1 + iou)
    smaller: NDArray[np.float64] = shared / np.minimum(areas, detection.area)
    return smaller


def _overlaps(detection: Detection, others: Sequence[Detection]) -> list[float]:
    """Intersection over union of a mask with each of the others."""
    one, rest = [_rle(detection)], [_rle(d) for d in others]
    overlaps: list[float] = coco_mask.iou(one, rest, [False] * len(rest))[0].tolist()
    return overlaps


def _rle(detection: Detection) -> dict[str, object]:
    size = [detection.mask.height, detection.mask.width]
    return {"size": size, "counts": detection.mask.counts.encode("ascii")}


def union_of(detections: Sequence[Detection]) -> Detection:
    """One detection that covers all of them, with the best one's score."""
    union = coco_mask.merge([_rle(d) for d in detections])
    first = detections[0].mask
    x, y, w, h = (float(v) for v in coco_mask.toBbox(union))
    return Detection(
        category=LOOK,
        score=max(d.score for d in detections),
        bbox=(x, y, w, h),
        area=int(coco_mask.area(union)),
        mask=Mask(height=first.height, width=first.width, counts=union["counts"].decode("ascii")),
    )
