"""Photos that nobody labelled, with masks that a segmenter is sure of (pseudo-labels).

What the segmenter finds in a photo and again in its mirror image, with the same name and nearly the
same outline, is a label; what it finds less surely is a region to ignore (``iscrowd``), neither
garment nor background. STAC (arXiv 2005.04757) and Unbiased Teacher (arXiv 2102.09480) part sure
from unsure as well, by the score alone.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fashionmap.domain.garment import Detection
from fashionmap.domain.taxonomy import TAXONOMIES
from fashionmap.embedding.cutout import decode_mask
from fashionmap.errors import DatasetRejected
from fashionmap.pipelining import in_order
from fashionmap.segmentation.model import MaskRCNNSegmenter
from fashionmap.training.datasets.coco_form import (
    Converted,
    JsonObject,
    annotation_of,
    place_image,
    write_dataset,
)
from fashionmap.training.segmenter.samples import PICTURES, read_rgb

SURE, UNSURE, ALIKE = 0.5, 0.1, 0.7
"""Score of a label, score of a region to ignore, intersection over union with the mirror's."""

Found = tuple[str, float, NDArray[np.bool_]]
"""Category, score, mask (height, width)."""
Label = tuple[str, NDArray[np.bool_], bool]
"""Category, mask (height, width) and whether it is a region to ignore."""


def convert_photos(source: Path, out: Path, segmenter: MaskRCNNSegmenter) -> Converted:
    """Labels every picture of a folder; those without a single sure mask are left out.

    Args:
        source: Folder of photos.
        out: Data set to write.
        segmenter: One with the threshold ``UNSURE``.

    Raises:
        DatasetRejected: There are no pictures, or the segmenter's taxonomy has no name.
    """
    taxonomy = next((t for t in TAXONOMIES.values() if t.categories == segmenter.labels), None)
    if taxonomy is None:
        raise DatasetRejected("This segmenter speaks a taxonomy of its own: its labels go nowhere.")
    files = sorted(p for p in source.glob("*") if p.suffix.lower() in PICTURES)
    if not files:
        raise DatasetRejected(f"{source} has no pictures.")
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    left_out: list[str] = []

    def label(path: Path) -> tuple[tuple[int, int], list[Label]]:
        photo = read_rgb(path)
        return (photo.shape[0], photo.shape[1]), list(_labels(photo, segmenter))

    threads = segmenter.at_once
    results = in_order(files, label, threads=threads, most=2 * threads)
    for path, ((height, width), labels) in zip(files, results, strict=True):
        if all(crowd for _, _, crowd in labels):
            left_out.append(f"{path.name}: no garment is sure.")
            continue
        number = len(images) + 1
        named = {"file_name": path.name, "group": path.name}
        images.append({"id": number, **named, "height": height, "width": width, "license": 1})
        for category, mask, crowd in labels:
            annotations.append(
                annotation_of(
                    mask,
                    number=len(annotations) + 1,
                    image_id=number,
                    category_id=taxonomy.id_of(category),
                    iscrowd=int(crowd),
                )
            )
        place_image(path, out / "images" / path.name)
    return write_dataset(
        out,
        source=f"photos with masks by {segmenter.stamp.name} {segmenter.stamp.version}",
        licence="of the photos",
        taxonomy=taxonomy,
        images=images,
        annotations=annotations,
        left_out=left_out,
    )


def _labels(photo: NDArray[np.uint8], segmenter: MaskRCNNSegmenter) -> Iterator[Label]:
    """What is found for sure, and what is not."""
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    found = [_decoded(d) for d in segmenter.everything(photo)]
    again = [_decoded(d) for d in segmenter.everything(mirrored)]
    other = [(category, score, mask[:, ::-1]) for category, score, mask in again]
    sure: list[Found] = []
    unsure: list[Found] = []
    for category, score, mask in found:
        twin = any(c == category and s >= SURE and _iou(m, mask) >= ALIKE for c, s, m in other)
        if any(c == category and _iou(m, mask) >= ALIKE for c, _, m in sure):
            continue
        (sure if score >= SURE and twin else unsure).append((category, score, mask))
    claimed = np.zeros(photo.shape[:2], bool)
    for category, _, mask in sure:
        yield category, mask, False
        if category in segmenter.categories:
            claimed |= mask
    for category, _, mask in unsure:
        rest = mask & ~claimed
        if category in segmenter.categories and rest.sum() > 0.5 * mask.sum():
            yield category, rest, True


def _decoded(found: Detection) -> Found:
    return found.category, found.score, decode_mask(found.mask) > 0


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))
