"""COCO instance data sets, the project's own sample looks among them, brought into our form."""

from collections.abc import Mapping
from pathlib import Path

from fashionmap.domain.taxonomy import TAXONOMIES, Taxonomy
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    Converted,
    JsonObject,
    place_image,
    read_coco,
    read_json,
    write_dataset,
)

FURTHER = ("attributes",)
"""Lists of a document, beside COCO's own, that are kept."""


def convert_coco(
    annotations: Path, images: Path, out: Path, *, source: str = "", licence: str = ""
) -> Converted:
    """Copies a COCO data set: ids of categories become 1, 2, …; doubled annotation ids are mended.

    Further fields, such as Fashionpedia's ``attribute_ids``, are kept.
    """
    document = read_coco(annotations)
    categories = sorted(document["categories"], key=lambda c: c["id"])
    taxonomy = _taxonomy(tuple(str(c["name"]) for c in categories), annotations.stem)
    ids = {c["id"]: i for i, c in enumerate(categories, start=1)}
    licences = ", ".join(str(entry.get("name", "")) for entry in document.get("licenses", []))
    return copy_coco(
        document,
        images,
        out,
        ids=ids,
        taxonomy=taxonomy,
        source=source or str(document.get("info", {}).get("description", annotations.name)),
        licence=licence or licences or "unknown",
    )


def convert_sample(folder: Path, out: Path) -> Converted:
    """Copies a folder of `fashionmap sample`, or any data set in our form."""
    about = read_json(folder / "dataset.json")
    return convert_coco(
        folder / "annotations.json",
        folder / "images",
        out,
        source=str(about.get("source", "")),
        licence=str(about.get("licence", "")),
    )


def copy_coco(
    document: JsonObject,
    images: Path,
    out: Path,
    *,
    ids: Mapping[int, int],
    taxonomy: Taxonomy,
    source: str,
    licence: str,
    ignored: frozenset[int] = frozenset(),
) -> Converted:
    """Copies pictures and annotations under new category ids.

    Args:
        document: COCO data set.
        images: Folder of its pictures.
        out: Data set to write.
        ids: Category ids of the source to ids of ``taxonomy``; annotations of others are dropped.
        taxonomy: Of the data set to write.
        source: Where it comes from.
        licence: Of the annotations.
        ignored: Category ids of the source whose annotations are regions to ignore.
    """
    known = {category["id"] for category in document["categories"]}
    placed, left_out = _place(document["images"], images, out / "images")
    present = {image["id"] for image in document["images"]}
    kept: list[JsonObject] = []
    for annotation in document["annotations"]:
        number, image_id = annotation["category_id"], annotation["image_id"]
        if number not in known or image_id not in present:
            raise DatasetRejected(
                f"Annotation {annotation.get('id')} names an image or a category that is not there."
            )
        if number in ids and image_id in placed:
            new = {"iscrowd": 0, **annotation, "id": len(kept) + 1, "category_id": ids[number]}
            kept.append({**new, "iscrowd": 1} if number in ignored else new)
    return write_dataset(
        out,
        source=source,
        licence=licence,
        taxonomy=taxonomy,
        images=[image for image in document["images"] if image["id"] in placed],
        annotations=kept,
        left_out=left_out,
        extra={name: document[name] for name in FURTHER if name in document},
    )


def _place(images: list[JsonObject], folder: Path, out: Path) -> tuple[set[int], list[str]]:
    placed: set[int] = set()
    left_out: list[str] = []
    for image in images:
        name = Path(str(image["file_name"]))
        if name.is_absolute() or ".." in name.parts:
            raise DatasetRejected(f"{name} is no file name inside the folder of pictures.")
        if (folder / name).exists():
            place_image(folder / name, out / name)
            placed.add(image["id"])
        else:
            left_out.append(f"Picture {name} is missing.")
    return placed, left_out


def _taxonomy(names: tuple[str, ...], stem: str) -> Taxonomy:
    same = (t for t in TAXONOMIES.values() if t.categories == names)
    return next(same, Taxonomy(f"coco:{stem}", names))
