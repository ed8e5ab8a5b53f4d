"""Garments to learn from: cut-outs of COCO data sets, and folders of pictures by category."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from fashionmap.domain.garment import Detection, Mask
from fashionmap.domain.taxonomy import PERSON
from fashionmap.embedding.cutout import cut_out, whole_picture
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import decode_segmentation, encode_mask, read_coco
from fashionmap.training.segmenter.samples import PICTURES, read_rgb

FLAT = "flat "
"""Before the categories of single garments that nobody wears."""


@dataclass(frozen=True)
class Item:
    """One garment; its pixels are read when they are asked for.

    Attributes:
        label: Its category; names of different sources never mean the same.
        pair: Garments of one pair are the same product, ``""`` where nobody knows.
        source: ``shop`` or ``user`` where it is known, as of DeepFashion2.
        load: Reads its cut-out.
    """

    label: str
    pair: str
    source: str
    load: Callable[[], NDArray[np.uint8]]

    @property
    def cutout(self) -> NDArray[np.uint8]:
        """uint8 RGBA (h, w, 4)."""
        return self.load()


def coco_items(annotations: Path, images: Path, *, smallest: int = 900) -> Iterator[Item]:
    """Cut-outs by their true masks; people and crowds are left out.

    An annotation's ``pair`` (a product's id, as of DeepFashion2) is kept where present.
    """
    document = read_coco(annotations)
    names = {c["id"]: c["name"] for c in document["categories"]}
    files = {i["id"]: i for i in document["images"]}
    for annotation in sorted(document["annotations"], key=lambda a: (a["image_id"], a["id"])):
        name = names[annotation["category_id"]]
        if annotation.get("iscrowd") or name == PERSON or annotation["area"] < smallest:
            continue
        image = files[annotation["image_id"]]
        load = partial(_cut, images / image["file_name"], annotation["segmentation"])
        pair, source = str(annotation.get("pair", "")), str(image.get("source", ""))
        yield Item(name, pair, source, load)


def folder_items(folder: Path) -> Iterator[Item]:
    """Whole pictures of single garments in folders named by category."""
    kinds = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    if not kinds:
        raise DatasetRejected(f"{folder} holds no folders named by category.")
    for kind in kinds:
        for path in sorted(kind.iterdir()):
            if path.suffix.lower() in PICTURES:
                yield Item(f"{FLAT}{kind.name}", "", "", partial(_whole, path))


def view(cutout: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Another view of the same garment: mirrored, turned, cropped, in other light.

    Hue is left alone: red and blue must not become alike.
    """
    height, width = cutout.shape[:2]
    scale = random.uniform(0.85, 1.2)
    centre = (width / 2, height / 2)
    turn = cv2.getRotationMatrix2D(centre, random.uniform(-12, 12), scale)
    matrix = np.asarray(turn, dtype=np.float64)
    matrix[:, 2] += random.uniform(-0.06, 0.06, 2) * (width, height)
    turned = cv2.warpAffine(
        cutout, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if cutout[..., 3].min() < 255:
        turned[..., 3] = cv2.warpAffine(cutout[..., 3], matrix, (width, height))
    if random.random() < 0.5:
        turned = turned[:, ::-1]
    light = random.uniform(0.82, 1.18) * random.uniform(0.96, 1.04, 3)
    pixels = np.clip(turned[..., :3] * light, 0, 255).astype(np.uint8)
    return np.dstack([pixels, turned[..., 3]])


@lru_cache(maxsize=4)
def _photo(path: Path) -> NDArray[np.uint8]:
    """Garments of one photo come one after the other."""
    return read_rgb(path)


def _whole(path: Path) -> NDArray[np.uint8]:
    return whole_picture(read_rgb(path))


def _cut(path: Path, segmentation: object) -> NDArray[np.uint8]:
    photo = _photo(path)
    height, width = photo.shape[:2]
    rle = encode_mask(decode_segmentation(segmentation, height=height, width=width) > 0)
    x, y, w, h = (float(v) for v in coco_mask.toBbox(rle))
    mask = Mask(height, width, rle["counts"])
    return cut_out(photo, Detection("", 1.0, (x, y, w, h), int(coco_mask.area(rle)), mask))
