"""Drawn looks as embedding documents, from their ground truth: no model is needed."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionmap.adapters.photo_decoder import decode_photo
from fashionmap.adapters.units_table import units_to_bytes
from fashionmap.domain.garment import Detection, Garment, Mask, MasksDocument
from fashionmap.domain.photo import MetadataValue, ModelStamp, Photo
from fashionmap.domain.taxonomy import LOOK, MODANET, PERSON
from fashionmap.embedding.cutout import cut_out
from fashionmap.embedding.handler import unit_row

TRUTH = ModelStamp("ground-truth", "1", "0" * 64)
SHAPE = ModelStamp("shape-and-colour", "1", "0" * 64)


def documents_of(folder: Path, **metadata: MetadataValue) -> Iterator[tuple[str, Path, bytes]]:
    """Photo id, file and embedding document of each look of ``fashionmap sample``'s folder.

    Every photo has a season, a date, a price, and the metadata given.
    """
    truth = json.loads((folder / "annotations.json").read_text("utf-8"))
    names = {c["id"]: c["name"] for c in truth["categories"]}
    for image in truth["images"]:
        path = folder / "images" / image["file_name"]
        found = [a for a in truth["annotations"] if a["image_id"] == image["id"]]
        document = _masks(path, image, found, names, metadata)
        pixels = decode_photo(path.read_bytes())
        rows = []
        for garment in document.garments:
            cutout = cut_out(pixels, garment.detection)
            rows.append(unit_row(document, garment, cutout, _vector(garment, cutout)))
        data = units_to_bytes(rows, dimensions=_LENGTH, segmenter=TRUTH, embedder=SHAPE)
        yield document.photo.id, path, data


def _masks(
    path: Path,
    image: dict[str, Any],
    found: list[dict[str, Any]],
    names: dict[int, str],
    more: dict[str, MetadataValue],
) -> MasksDocument:
    photo_id = hashlib.sha256(path.read_bytes()).hexdigest()
    number = int(path.stem)
    metadata: dict[str, MetadataValue] = {
        **more,
        "season": ("spring", "summer", "autumn", "winter")[number % 4],
        "taken": f"2025-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "price": 20 + number * 37 % 180,
    }
    photo = Photo(photo_id, path.name, image["width"], image["height"], metadata)
    garments = []
    for one in found:
        category = names[one["category_id"]]
        unit = LOOK if category == PERSON else "garment"
        ending = LOOK if unit == LOOK else str(len(garments))
        x, y, w, h = one["bbox"]
        mask = Mask(*one["segmentation"]["size"], one["segmentation"]["counts"])
        shown = LOOK if unit == LOOK else category
        detection = Detection(shown, 0.99, (x, y, w, h), int(one["area"]), mask)
        garments.append(Garment(f"{photo_id[:16]}-{ending}", unit, detection))
    return MasksDocument(photo, TRUTH, tuple(garments))


_LENGTH = len(MODANET.categories) + 1 + 3 * 36


def _vector(garment: Garment, cutout: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Category, and a 6 × 6 picture in CIELAB: float32 of length 1."""
    small = cv2.resize(cutout, (6, 6), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small[..., :3], cv2.COLOR_RGB2LAB) / 100
    kind = np.zeros(len(MODANET.categories) + 1, np.float32)
    names = [*MODANET.categories, LOOK]
    kind[names.index(garment.detection.category)] = 1.8
    vector = np.concatenate([kind, (lab * small[..., 3:]).ravel()])
    unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
    return unit
