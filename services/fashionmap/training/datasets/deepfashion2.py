"""DeepFashion2 (https://github.com/switchablenorms/DeepFashion2): one JSON a photo."""

from pathlib import Path
from typing import Any

from fashionmap.domain.taxonomy import DEEPFASHION2
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    JsonObject,
    place_image,
    polygon_annotation,
    read_json,
    write_dataset,
)
from fashionmap.training.datasets.pictures import picture_size


def convert_deepfashion2(source: Path, out: Path) -> None:
    """Converts one part (``train`` or ``validation``): ``annos/*.json`` and ``image/*.jpg``.

    Items of equal ``pair_id`` and equal ``style`` above 0 show the same product; annotations keep
    it as ``pair``, beside ``source`` (``shop`` or ``user``) of their image.
    """
    files = sorted((source / "annos").glob("*.json"))
    if not files:
        raise DatasetRejected(f"{source} is no part of DeepFashion2: it has no annos/*.json.")
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    for number, path in enumerate(files, start=1):
        document = read_json(path)
        picture = source / "image" / f"{path.stem}.jpg"
        height, width = picture_size(picture)
        name = picture.name
        images.append(
            {
                **{"id": number, "file_name": name, "height": height, "width": width},
                **{"license": 1, "source": document.get("source", "")},
                "group": str(document.get("pair_id", number)),
            }
        )
        for item in _items(document):
            annotations.append(_annotation(item, document, len(annotations) + 1, number))
        place_image(picture, out / "images" / name)
    write_dataset(
        out,
        source="DeepFashion2, github.com/switchablenorms/DeepFashion2",
        licence="by agreement with its authors, non-commercial research",
        taxonomy=DEEPFASHION2,
        images=images,
        annotations=annotations,
    )


def _items(document: JsonObject) -> list[JsonObject]:
    names = sorted((k for k in document if k.startswith("item")), key=lambda k: int(k[4:]))
    return [document[name] for name in names]


def _annotation(
    item: JsonObject, document: JsonObject, number: int, image_id: int
) -> dict[str, Any]:
    style = int(item.get("style", 0))
    annotation = polygon_annotation(
        item["segmentation"],
        number=number,
        image_id=image_id,
        category_id=int(item["category_id"]),
    )
    if style > 0:
        annotation["pair"] = f"{document['pair_id']}-{style}"
    return annotation
