"""ModaNet (https://github.com/eBay/modanet) over PaperDoll's pictures."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionmap.domain.taxonomy import MODANET
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    Converted,
    JsonObject,
    polygon_annotation,
    read_coco,
    write_dataset,
)
from fashionmap.training.datasets.paperdoll import ADDRESS, Pictures, md5_of, open_pictures
from fashionmap.training.datasets.pictures import look_at

MD5 = {
    "modanet2018_instances_train.json": "96478657d20e322e9d3282c6d73c0c4c",
    "modanet2018_instances_val.json": "900b24b7d6c0c48203e6244f45d65499",
}
"""Published MD5 sums; the second file names photos only and has no polygons."""
TRAIN = "modanet2018_instances_train.json"
PAIRS = frozenset({MODANET.id_of("boots"), MODANET.id_of("footwear")})


def convert_modanet(
    source: Path,
    out: Path,
    *,
    check: bool = True,
    download: bool = False,
    address: str = ADDRESS,
    rate: float = 4.0,
) -> Converted:
    """Joins the annotations to PaperDoll's pictures by photo id.

    Args:
        source: Folder with ``modanet2018_instances_train.json`` and PaperDoll's pictures in one of
            the forms of ``open_pictures``.
        out: Data set to write.
        check: Whether files must have their published MD5 sums.
        download: Whether missing pictures are downloaded by the addresses of PaperDoll's dump.
        address: Server that they are downloaded from.
        rate: Most requests a second.
    """
    _check(source, check=check)
    document = read_coco(source / TRAIN)
    _check_categories(document, source / TRAIN)
    by_image: dict[int, list[JsonObject]] = defaultdict(list)
    for annotation in document["annotations"]:
        by_image[annotation["image_id"]].append(annotation)
    pictures = open_pictures(source, download=download, address=address, rate=rate, check=check)
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    left_out: list[str] = []
    for image in sorted(document["images"], key=lambda i: i["id"]):
        try:
            name = _place(image, pictures, out / "images")
        except DatasetRejected as error:
            left_out.append(f"Photo {image['id']}: {error}")
            continue
        images.append({**image, "file_name": name, "license": 1})
        for repaired in repair_pairs(by_image[image["id"]]):
            annotations.append({**repaired, "id": len(annotations) + 1})
    return write_dataset(
        out,
        source="ModaNet (eBay/modanet) over PaperDoll (kyamagu/paperdoll)",
        licence="CC BY-NC 4.0",
        taxonomy=MODANET,
        images=images,
        annotations=annotations,
        left_out=left_out,
    )


def repair_pairs(annotations: list[JsonObject]) -> Iterator[JsonObject]:
    """One instance a pair of shoes or boots, with the box around all its polygons.

    The published boxes often cover one shoe of a pair that is drawn as two polygons, and some
    pairs are two annotations of one polygon each: of these, the nearest two are made one. What
    has no polygon is left out.
    """
    singles: dict[int, list[JsonObject]] = defaultdict(list)
    for annotation in annotations:
        kept = [p for p in annotation["segmentation"] if len(p) >= 6]
        if annotation["category_id"] in PAIRS and len(kept) == 1:
            singles[annotation["category_id"]].append(annotation)
        elif kept:
            yield _anew(annotation, kept)
    for lonely in singles.values():
        yield from _paired(lonely)


def _paired(singles: list[JsonObject]) -> Iterator[JsonObject]:
    """The nearest two are a pair, then the nearest two of the others, and so on."""
    left = list(singles)
    while len(left) > 1:
        centres = np.stack([_centre(a) for a in left])
        apart = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
        apart[np.tril_indices(len(left))] = np.inf
        i, j = (int(k) for k in np.unravel_index(apart.argmin(), apart.shape))
        yield _anew(left[i], [*left[i]["segmentation"], *left[j]["segmentation"]])
        left = [a for k, a in enumerate(left) if k not in (i, j)]
    for one in left:
        yield _anew(one, one["segmentation"])


def _centre(annotation: JsonObject) -> NDArray[np.float64]:
    points = np.array(annotation["segmentation"][0], dtype=np.float64).reshape(-1, 2)
    middle: NDArray[np.float64] = (points.min(axis=0) + points.max(axis=0)) / 2
    return middle


def _anew(annotation: JsonObject, polygons: list[list[float]]) -> dict[str, Any]:
    return polygon_annotation(
        polygons,
        number=annotation["id"],
        image_id=annotation["image_id"],
        category_id=annotation["category_id"],
    )


def _check(source: Path, *, check: bool) -> None:
    for name, digest in MD5.items():
        path = source / name
        if check and path.exists() and md5_of(path) != digest:
            raise DatasetRejected(f"{path} is damaged: its MD5 sum is not the published one.")


def _check_categories(document: JsonObject, path: Path) -> None:
    for category in document["categories"]:
        number, name = int(category["id"]), str(category["name"]).replace(" ", "")
        if not 1 <= number <= len(MODANET.categories) or MODANET.categories[number - 1] != name:
            raise DatasetRejected(
                f"{path} has a category {number} {name!r}, which ModaNet has not."
            )


def _place(image: JsonObject, pictures: Pictures, folder: Path) -> str:
    """Writes a photo's picture where it is that of the annotations; returns its file name."""
    data = pictures.get(image["id"])
    if data is None:
        raise DatasetRejected("It is not among PaperDoll's pictures.")
    seen = look_at(data)
    if seen.size != (image["height"], image["width"]):
        raise DatasetRejected("Its picture is not of the size that the polygons are drawn on.")
    name = f"{image['id']:07d}{seen.suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return name
