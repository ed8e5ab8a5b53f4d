"""From detections to the units of the map: garments, and the whole look."""

from collections.abc import Sequence
from dataclasses import replace

from pycocotools import mask as coco_mask

from fashionmap.domain.garment import Detection, Garment, Mask
from fashionmap.domain.taxonomy import LOOK, PERSON


def units_of(photo_id: str, detections: Sequence[Detection]) -> tuple[Garment, ...]:
    """Garments by falling score, then the look where something is worn.

    The look's mask is the union of all garments; where a person model ran, it is the person.
    """
    if not detections:
        return ()
    worn = [d for d in detections if d.category != PERSON]
    garments = [
        Garment(id=f"{photo_id[:16]}-{n}", unit="garment", detection=d) for n, d in enumerate(worn)
    ]
    people = [d for d in detections if d.category == PERSON]
    look = people[0] if people else union_of(worn)
    whole = Garment(id=f"{photo_id[:16]}-look", unit=LOOK, detection=replace(look, category=LOOK))
    return (*garments, whole)


def union_of(detections: Sequence[Detection]) -> Detection:
    """One detection that covers all of them, with the best one's score."""
    encoded = [
        {"size": [d.mask.height, d.mask.width], "counts": d.mask.counts.encode("ascii")}
        for d in detections
    ]
    union = coco_mask.merge(encoded)
    first = detections[0].mask
    x, y, w, h = (float(v) for v in coco_mask.toBbox(union))
    return Detection(
        category=LOOK,
        score=max(d.score for d in detections),
        bbox=(x, y, w, h),
        area=int(coco_mask.area(union)),
        mask=Mask(height=first.height, width=first.width, counts=union["counts"].decode("ascii")),
    )
