"""ModaNet (https://github.com/eBay/modanet) over PaperDoll's pictures."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fashionmap.domain.taxonomy import MODANET
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    JsonObject,
    polygon_annotation,
    read_coco,
    write_dataset,
)

TRAIN_MD5 = "96478657d20e322e9d3282c6d73c0c4c"
"""Of ``modanet2018_instances_train.json``."""
PAIRS = frozenset({MODANET.id_of("boots"), MODANET.id_of("footwear")})


def convert_modanet(source: Path, out: Path, *, check: bool = True) -> int:
    """Joins the annotations to PaperDoll's pictures by photo id.

    Args:
        source: Folder with ``modanet2018_instances_train.json`` and either ``photos.lmdb`` (an LMDB
            environment, key = photo id in ASCII) or ``photos/`` with ``<id>.jpg``.
        out: Data set to write.
        check: Whether the annotations' MD5 sum must be the published one.

    Returns:
        Photos that the annotations name and PaperDoll's pictures lack.
    """
    path = source / "modanet2018_instances_train.json"
    document = read_coco(path)
    if check and hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != TRAIN_MD5:
        raise DatasetRejected(f"{path} is damaged: its MD5 sum is not the published one.")
    by_image: dict[int, list[JsonObject]] = defaultdict(list)
    for annotation in document["annotations"]:
        by_image[annotation["image_id"]].append(annotation)
    pictures = _Pictures(source)
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    missing = 0
    for image in sorted(document["images"], key=lambda i: i["id"]):
        data = pictures.get(image["id"])
        if data is None:
            missing += 1
            continue
        name = f"{image['id']:07d}.jpg"
        (out / "images").mkdir(parents=True, exist_ok=True)
        (out / "images" / name).write_bytes(data)
        images.append({**image, "file_name": name, "license": 1})
        for repaired in repair_pairs(by_image[image["id"]]):
            annotations.append({**repaired, "id": len(annotations) + 1})
    write_dataset(
        out,
        source="ModaNet (eBay/modanet) over PaperDoll (kyamagu/paperdoll)",
        licence="CC BY-NC 4.0",
        taxonomy=MODANET,
        images=images,
        annotations=annotations,
    )
    return missing


def repair_pairs(annotations: list[JsonObject]) -> Iterator[JsonObject]:
    """One instance a pair of shoes or boots, with the box around both.

    The published boxes often cover one shoe of a pair that is drawn as two polygons, and some
    pairs are two annotations.
    """
    pairs: dict[int, list[JsonObject]] = defaultdict(list)
    for annotation in annotations:
        if annotation["category_id"] in PAIRS:
            pairs[annotation["category_id"]].append(annotation)
        else:
            yield _anew(annotation, annotation["segmentation"])
    for both in pairs.values():
        yield _anew(both[0], [polygon for a in both for polygon in a["segmentation"]])


def _anew(annotation: JsonObject, polygons: list[list[float]]) -> dict[str, Any]:
    return polygon_annotation(
        polygons,
        number=annotation["id"],
        image_id=annotation["image_id"],
        category_id=annotation["category_id"],
    )


class _Pictures:
    """PaperDoll's pictures by photo id, from its LMDB or from a folder."""

    def __init__(self, source: Path) -> None:
        self._folder = source / "photos"
        self._environment: Any = None
        if (source / "photos.lmdb").exists():
            import lmdb

            self._environment = lmdb.open(
                str(source / "photos.lmdb"), map_size=2**36, readonly=True, lock=False
            )
        elif not self._folder.is_dir():
            raise DatasetRejected(f"{source} has neither photos.lmdb nor a folder photos.")

    def get(self, number: int) -> bytes | None:
        if self._environment is not None:
            with self._environment.begin() as transaction:
                data: bytes | None = transaction.get(str(number).encode("ascii"))
                return data
        for name in (f"{number}.jpg", f"{number:07d}.jpg", f"{number:010d}.jpg"):
            if (self._folder / name).exists():
                return (self._folder / name).read_bytes()
        return None
