"""The JSON documents of the store: canonical bytes, so that equal content is equal bytes."""

import json
from typing import Any

from fashionmap.domain.garment import Detection, Garment, Mask, MasksDocument
from fashionmap.domain.photo import ModelStamp, Photo
from fashionmap.errors import MessageRejected


def to_bytes(document: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def from_bytes(data: bytes) -> Any:
    """The document in canonical or any other JSON; ``MessageRejected`` where it is none."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise MessageRejected(f"A stored document is no JSON: {error}.") from error


def photo_to_json(photo: Photo) -> dict[str, Any]:
    """A photo's record."""
    return {
        "id": photo.id,
        "file_name": photo.file_name,
        "width": photo.width,
        "height": photo.height,
        "metadata": dict(photo.metadata),
    }


def photo_from_json(record: dict[str, Any]) -> Photo:
    """The photo of a record."""
    return Photo(
        id=record["id"],
        file_name=record["file_name"],
        width=record["width"],
        height=record["height"],
        metadata=record.get("metadata", {}),
    )


def stamp_to_json(stamp: ModelStamp) -> dict[str, str]:
    """A model's name, version and hash."""
    return {"name": stamp.name, "version": stamp.version, "sha256": stamp.sha256}


def stamp_from_json(record: dict[str, str]) -> ModelStamp:
    """The model of a record."""
    return ModelStamp(name=record["name"], version=record["version"], sha256=record["sha256"])


def masks_to_bytes(document: MasksDocument) -> bytes:
    """A masks document as canonical JSON."""
    return to_bytes(
        {
            "photo": photo_to_json(document.photo),
            "segmenter": stamp_to_json(document.segmenter),
            "garments": [_garment_to_json(g) for g in document.garments],
        }
    )


def masks_from_bytes(data: bytes) -> MasksDocument:
    """The masks document of ``masks_to_bytes``; ``MessageRejected`` where it is none."""
    record = from_bytes(data)
    try:
        return MasksDocument(
            photo=photo_from_json(record["photo"]),
            segmenter=stamp_from_json(record["segmenter"]),
            garments=tuple(_garment_from_json(g) for g in record["garments"]),
        )
    except (KeyError, TypeError) as error:
        raise MessageRejected(f"A masks document lacks {error}.") from error


def _garment_to_json(garment: Garment) -> dict[str, Any]:
    found = garment.detection
    return {
        "id": garment.id,
        "unit": garment.unit,
        "category": found.category,
        "score": found.score,
        "bbox": list(found.bbox),
        "area": found.area,
        "segmentation": {
            "size": [found.mask.height, found.mask.width],
            "counts": found.mask.counts,
        },
    }


def _garment_from_json(record: dict[str, Any]) -> Garment:
    height, width = record["segmentation"]["size"]
    x, y, w, h = record["bbox"]
    return Garment(
        id=record["id"],
        unit=record["unit"],
        detection=Detection(
            category=record["category"],
            score=record["score"],
            bbox=(x, y, w, h),
            area=record["area"],
            mask=Mask(height=height, width=width, counts=record["segmentation"]["counts"]),
        ),
    )
