"""The one form that every data set is brought into.

``DIR/annotations.json`` (COCO instances, RLE or polygons), ``DIR/images/``, ``DIR/SHA256SUMS`` (of
every picture, as ``sha256sum -c`` reads it) and ``DIR/dataset.json`` (source, licence, taxonomy,
checksums of the documents), written last. After a split, ``train.json`` and ``val.json`` stand
beside ``annotations.json`` and refer to the same pictures.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from fashionmap.domain.taxonomy import Taxonomy
from fashionmap.errors import DatasetRejected

JsonObject = dict[str, Any]
SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Converted:
    """What came of a conversion.

    Attributes:
        images: Pictures in the data set.
        annotations: Annotations in the data set.
        left_out: What the source holds and the data set does not, a sentence with its reason each.
    """

    images: int
    annotations: int
    left_out: list[str] = field(default_factory=list)


def categories_of(taxonomy: Taxonomy) -> list[JsonObject]:
    """COCO ``categories`` with ids from 1 in the taxonomy's order."""
    return [{"id": i + 1, "name": name} for i, name in enumerate(taxonomy.categories)]


def encode_mask(mask: NDArray[np.bool_]) -> JsonObject:
    """A bool mask (height, width) as COCO RLE with ``counts`` as text."""
    rle = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(s) for s in rle["size"]], "counts": rle["counts"].decode("ascii")}


def annotation_of(
    mask: NDArray[np.bool_], *, number: int, image_id: int, category_id: int, iscrowd: int = 0
) -> JsonObject:
    """A COCO annotation around a bool mask (height, width) that has at least one pixel."""
    rle = encode_mask(mask)
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": rle,
        "bbox": [float(v) for v in coco_mask.toBbox(rle)],
        "area": float(coco_mask.area(rle)),
        "iscrowd": iscrowd,
    }


def decode_segmentation(segmentation: Any, *, height: int, width: int) -> NDArray[np.uint8]:
    """A COCO segmentation (polygons, plain or compressed RLE) as uint8 mask in {0, 1}."""
    if isinstance(segmentation, list):
        polygons = [p for p in segmentation if len(p) >= 6]
        if not polygons:
            return np.zeros((height, width), dtype=np.uint8)
        rle = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    elif isinstance(segmentation["counts"], list):
        rle = coco_mask.frPyObjects(segmentation, height, width)
    else:
        rle = segmentation
    decoded: NDArray[np.uint8] = coco_mask.decode(rle)
    return decoded


def read_json(path: Path) -> JsonObject:
    """A JSON object from a file; ``DatasetRejected`` says what is wrong with it."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DatasetRejected(f"{path} does not exist.") from error
    except (ValueError, OSError) as error:
        raise DatasetRejected(f"{path} is no JSON file that can be read: {error}.") from error
    if not isinstance(document, dict):
        raise DatasetRejected(f"{path} holds no JSON object.")
    return document


def read_coco(path: Path) -> JsonObject:
    """A COCO instances document; ``DatasetRejected`` where one of its three lists is missing."""
    document = read_json(path)
    for key in ("images", "categories", "annotations"):
        if not isinstance(document.get(key), list):
            raise DatasetRejected(f"{path} is no COCO data set: it has no list named {key!r}.")
    return document


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False), "utf-8")
    part.replace(path)


def place_image(source: Path, target: Path) -> None:
    """Puts a picture into the data set: a hard link where the disk allows it, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        target.write_bytes(source.read_bytes())


def write_dataset(
    out: Path,
    *,
    source: str,
    licence: str,
    taxonomy: Taxonomy,
    images: Sequence[JsonObject],
    annotations: Sequence[JsonObject],
    left_out: Sequence[str] = (),
    extra: Mapping[str, Any] | None = None,
) -> Converted:
    """Writes ``annotations.json``, the pictures' checksums and, last, ``dataset.json``.

    Args:
        out: Folder of the data set; its pictures lie there already.
        source: Where it comes from.
        licence: Of the annotations.
        taxonomy: Its categories; ids are theirs.
        images: COCO images.
        annotations: COCO annotations.
        left_out: Passed on to the result.
        extra: Further lists of the COCO document, such as Fashionpedia's ``attributes``.
    """
    document = {
        "info": {"description": source},
        "licenses": [{"id": 1, "name": licence}],
        "categories": categories_of(taxonomy),
        **(extra or {}),
        "images": list(images),
        "annotations": list(annotations),
    }
    write_json(out / "annotations.json", document)
    names = sorted({str(image["file_name"]) for image in images})
    lines = [f"{sha256_of(out / 'images' / name)}  images/{name}\n" for name in names]
    (out / SUMS).write_text("".join(lines), "utf-8")
    about = {
        "format": 1,
        "source": source,
        "licence": licence,
        "taxonomy": taxonomy.name,
        "categories": list(taxonomy.categories),
        "images": len(images),
        "annotations": len(annotations),
        "sha256": {name: sha256_of(out / name) for name in ("annotations.json", SUMS)},
    }
    write_json(out / "dataset.json", about)
    return Converted(len(images), len(annotations), list(left_out))


def sha256_of(path: Path) -> str:
    """Hash of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def polygon_annotation(
    polygons: list[list[float]], *, number: int, image_id: int, category_id: int
) -> JsonObject:
    """A COCO annotation of polygons ``[x1, y1, x2, y2, …]``, with box and area from them.

    The area is the sum of the polygons' (shoelace formula): parts of one garment do not overlap.
    """
    kept = [[float(v) for v in p] for p in polygons if len(p) >= 6]
    points = np.array([v for p in kept for v in p]).reshape(-1, 2)
    low = points.min(axis=0) if len(points) else np.zeros(2)
    high = points.max(axis=0) if len(points) else np.zeros(2)
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": kept,
        "bbox": [float(v) for v in (*low, *(high - low))],
        "area": float(sum(_shoelace(p) for p in kept)),
        "iscrowd": 0,
    }


def _shoelace(polygon: list[float]) -> float:
    x, y = np.array(polygon).reshape(-1, 2).T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
