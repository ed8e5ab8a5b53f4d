"""DeepFashion2 (https://github.com/switchablenorms/DeepFashion2): one JSON a photo."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fashionmap.domain.taxonomy import DEEPFASHION2
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    Converted,
    JsonObject,
    place_image,
    polygon_annotation,
    read_json,
    write_dataset,
)
from fashionmap.training.datasets.pictures import picture_size

GRADES = ("scale", "occlusion", "zoom_in", "viewpoint")
"""Grades of 1 to 3 that an item keeps."""


def convert_deepfashion2(source: Path, out: Path) -> Converted:
    """Converts one part (``train`` or ``validation``): ``annos/*.json`` and ``image/*.jpg``.

    Items of equal ``pair_id`` and equal ``style`` above 0 show the same product; annotations keep
    it as ``pair``, beside ``source`` (``shop`` or ``user``) of their image. Photos of one pair stay
    on one side of a split.
    """
    files = sorted((source / "annos").glob("*.json"))
    if not files:
        raise DatasetRejected(f"{source} is no part of DeepFashion2: it has no annos/*.json.")
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    left_out: list[str] = []
    for number, path in enumerate(files, start=1):
        picture = source / "image" / f"{path.stem}.jpg"
        try:
            document = read_json(path)
            image = _image(document, picture, number)
            items = list(_items(document, path, number))
        except DatasetRejected as error:
            left_out.append(str(error))
            continue
        images.append(image)
        annotations += [{**a, "id": len(annotations) + i} for i, a in enumerate(items, start=1)]
        place_image(picture, out / "images" / picture.name)
    return write_dataset(
        out,
        source="DeepFashion2, github.com/switchablenorms/DeepFashion2",
        licence="by agreement with its authors, non-commercial research",
        taxonomy=DEEPFASHION2,
        images=images,
        annotations=annotations,
        left_out=left_out,
    )


def _image(document: JsonObject, picture: Path, number: int) -> JsonObject:
    height, width = picture_size(picture)
    pair = document.get("pair_id")
    return {
        **{"id": number, "file_name": picture.name, "height": height, "width": width},
        **{"license": 1, "source": document.get("source", ""), "pair_id": pair},
        "group": f"pair {pair}" if pair is not None else f"photo {number}",
    }


def _items(document: JsonObject, path: Path, image_id: int) -> Iterator[JsonObject]:
    """Annotations of ``item1``, ``item2``, … in their order; without polygons they are none."""
    names = [k for k in document if k.startswith("item") and k[4:].isdigit()]
    for name in sorted(names, key=lambda k: int(k[4:])):
        item = document[name]
        try:
            annotation = _annotation(item, document, image_id)
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetRejected(f"{path}: {name} is not in DeepFashion2's form.") from error
        if annotation["segmentation"]:
            yield annotation


def _annotation(item: JsonObject, document: JsonObject, image_id: int) -> dict[str, Any]:
    number, style = int(item["category_id"]), int(item.get("style", 0))
    if DEEPFASHION2.categories[number - 1] != item.get("category_name") or number < 1:
        raise ValueError(number)
    annotation = polygon_annotation(
        item["segmentation"], number=0, image_id=image_id, category_id=number
    )
    annotation |= {"style": style, **{g: item[g] for g in GRADES if g in item}}
    if style > 0 and document.get("pair_id") is not None:
        annotation["pair"] = f"{document['pair_id']}-{style}"
    return annotation
