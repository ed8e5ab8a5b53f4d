"""What is wrong with a data set."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from fashionmap.training.datasets.coco_form import (
    JsonObject,
    decode_segmentation,
    read_coco,
)
from fashionmap.training.datasets.pictures import difference_hash

ALIKE = 12
"""Bits of 256 by which near-duplicate pictures differ at most."""
SLACK = 2.0
"""Pixels by which a box may differ from its mask."""


def verify_dataset(folder: Path) -> list[str]:
    """Everything that was found, a sentence each; empty where all is well.

    Checks pictures (missing, unreadable, of another size), ids (doubled, unknown), polygons
    (empty, self-crossing, out of bounds), boxes against masks, and pictures that are alike across
    ``train.json`` and ``val.json``.
    """
    document = read_coco(folder / "annotations.json")
    found = [*_ids(document), *_pictures(document, folder / "images")]
    images = {i["id"]: i for i in document["images"]}
    categories = {c["id"] for c in document["categories"]}
    for annotation in document["annotations"]:
        image = images.get(annotation["image_id"])
        name = f"Annotation {annotation['id']}"
        if annotation["category_id"] not in categories:
            found.append(f"{name} has an unknown category {annotation['category_id']}.")
        if image is None:
            found.append(f"{name} is of an unknown image {annotation['image_id']}.")
        else:
            found += [f"{name} {fault}" for fault in _shape(annotation, image)]
    if (folder / "train.json").exists() and (folder / "val.json").exists():
        found += _across(folder)
    return found


def _ids(document: JsonObject) -> Iterator[str]:
    for kind in ("images", "annotations", "categories"):
        for number, times in Counter(x["id"] for x in document[kind]).items():
            if times > 1:
                yield f"Id {number} stands {times} times among the {kind}."


def _pictures(document: JsonObject, folder: Path) -> Iterator[str]:
    for image in document["images"]:
        path = folder / image["file_name"]
        if not path.exists():
            yield f"Picture {image['file_name']} is missing."
            continue
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if pixels is None:
            yield f"Picture {image['file_name']} cannot be read."
        elif pixels.shape[:2] != (image["height"], image["width"]):
            yield f"Picture {image['file_name']} is not of the size that is written."


def _shape(annotation: JsonObject, image: JsonObject) -> Iterator[str]:
    segmentation = annotation["segmentation"]
    size = {"height": image["height"], "width": image["width"]}
    if isinstance(segmentation, list):
        yield from _polygons(segmentation, **size)
    elif [image["height"], image["width"]] != list(segmentation["size"]):
        yield "has a mask of another size than its image."
        return
    mask = decode_segmentation(segmentation, **size)
    if not mask.any():
        yield "has an empty mask."
        return
    x, y, w, h = cv2.boundingRect(mask)
    box = np.array(annotation["bbox"], dtype=float)
    if np.abs(np.array([x, y, x + w, y + h]) - [*box[:2], *(box[:2] + box[2:])]).max() > SLACK:
        yield "has a box that does not fit its mask."


def _polygons(polygons: list[list[float]], *, height: int, width: int) -> Iterator[str]:
    if not any(len(p) >= 6 for p in polygons):
        yield "has an empty polygon."
    for polygon in polygons:
        points = np.array(polygon, dtype=float).reshape(-1, 2) if len(polygon) % 2 == 0 else None
        if points is None:
            yield "has a polygon with half a point."
            continue
        if (points < -1).any() or (points > (width + 1, height + 1)).any():
            yield "has a polygon that is out of bounds."
        if _crosses_itself(points):
            yield "has a polygon that crosses itself."


def _crosses_itself(points: np.ndarray) -> bool:
    """Whether two edges that are no neighbours meet, by the signs of their turns."""
    ring = np.concatenate([points, points[:1]])
    edges = [(a, b) for a, b in pairwise(ring) if (a != b).any()]
    count = len(edges)
    for i in range(count):
        for j in range(i + 2, count):
            if (i, j) != (0, count - 1) and _cross(*edges[i], *edges[j]):
                return True
    return False


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    def turn(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


def _across(folder: Path) -> Iterator[str]:
    """Pictures of val that are alike to one of train."""
    names = {
        part: [i["file_name"] for i in read_coco(folder / f"{part}.json")["images"]]
        for part in ("train", "val")
    }
    for both in sorted(set(names["train"]) & set(names["val"])):
        yield f"Picture {both} is in train and in val."
    hashes = {
        part: [(n, difference_hash(folder / "images" / n)) for n in files]
        for part, files in names.items()
    }
    known = [(n, bits) for n, bits in hashes["train"] if bits is not None]
    if not known:
        return
    table = np.stack([bits for _, bits in known])
    for name, bits in hashes["val"]:
        if bits is None:
            continue
        differ = (table != bits).sum(axis=1)
        for index in np.flatnonzero(differ <= ALIKE):
            yield f"Pictures {known[index][0]} (train) and {name} (val) are alike."
