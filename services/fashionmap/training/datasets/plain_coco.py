"""COCO instance data sets, Fashionpedia among them, brought into our form."""

from pathlib import Path

from fashionmap.domain.taxonomy import Taxonomy
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    JsonObject,
    place_image,
    read_coco,
    write_dataset,
)


def convert_coco(annotations: Path, images: Path, out: Path, *, licence: str = "unknown") -> None:
    """Copies a COCO data set: ids of categories become 1, 2, …; doubled annotation ids are mended.

    Further fields, such as Fashionpedia's ``attribute_ids``, are kept.
    """
    document = read_coco(annotations)
    categories = sorted(document["categories"], key=lambda c: c["id"])
    ids = {c["id"]: i for i, c in enumerate(categories, start=1)}
    known = {i["id"] for i in document["images"]}
    kept: list[JsonObject] = []
    for annotation in document["annotations"]:
        if annotation["category_id"] not in ids or annotation["image_id"] not in known:
            raise DatasetRejected(
                f"Annotation {annotation.get('id')} of {annotations} names an image or a category "
                "that is not there."
            )
        category = ids[annotation["category_id"]]
        kept.append({"iscrowd": 0, **annotation, "id": len(kept) + 1, "category_id": category})
    for image in document["images"]:
        place_image(images / image["file_name"], out / "images" / image["file_name"])
    names = tuple(str(c["name"]) for c in categories)
    write_dataset(
        out,
        source=str(document.get("info", {}).get("description", annotations.name)),
        licence=licence,
        taxonomy=Taxonomy(f"coco:{annotations.stem}", names),
        images=document["images"],
        annotations=kept,
    )
