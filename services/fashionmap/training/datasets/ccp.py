"""Clothing Co-Parsing (https://github.com/bearpaw/clothing-co-parsing) as ModaNet's thirteen.

One instance a tag and photo of 100 px or more; a pair of shoes is one instance. Clothes outside
the thirteen are regions to ignore (``iscrowd``). Everything that is labelled is the person.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from fashionmap.domain.taxonomy import MODANET_PERSON, PERSON
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    Converted,
    JsonObject,
    annotation_of,
    place_image,
    write_dataset,
)

TAGS: dict[str, tuple[str, ...]] = {
    "bag": ("bag", "purse", "wallet"),
    "belt": ("belt",),
    "boots": ("boots",),
    "footwear": (
        *("shoes", "heels", "pumps", "flats", "loafers"),
        *("sandals", "sneakers", "clogs", "wedges"),
    ),
    "outer": (
        *("blazer", "cape", "cardigan", "coat", "jacket", "suit", "jumper", "sweater"),
        *("sweatshirt", "hoodie", "vest", "romper", "bodysuit"),
    ),
    "dress": ("dress",),
    "sunglasses": ("sunglasses",),
    "pants": ("pants", "jeans", "leggings"),
    "top": ("blouse", "shirt", "t-shirt", "top"),
    "shorts": ("shorts",),
    "skirt": ("skirt",),
    "headwear": ("hat",),
    "scarf&tie": ("scarf", "tie"),
}
"""CCP's tags for each of ModaNet's categories."""

IGNORED = (
    *("accessories", "glasses", "gloves", "socks", "stockings", "tights"),
    *("bra", "intimate", "swimwear", "panties"),
)
"""Clothes that are none of the thirteen: neither garment nor background."""

SMALLEST = 100
"""Pixels below which a region is a labelling fault."""

NEAR_DUPLICATES = (
    *(("0078", "0984"), ("0183", "0730"), ("0594", "0722"), ("0692", "0732")),
    *(("0907", "0990"), ("0197", "0671"), ("0223", "0616")),
)
"""Photos of one shooting that belong on one side of a split."""


def convert_ccp(source: Path, out: Path) -> Converted:
    """Converts CCP's folder (``photos``, ``annotations/pixel-level``, ``label_list.mat``)."""
    labels = _labels(source)
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    for mat in sorted((source / "annotations" / "pixel-level").glob("*.mat")):
        picture = source / "photos" / f"{mat.stem}.jpg"
        truth = loadmat(mat)["groundtruth"]
        size = cv2.imread(str(picture))
        if size is None or size.shape[:2] != truth.shape:
            raise DatasetRejected(f"{picture} is missing or not of its annotation's size.")
        number = int(mat.stem)
        image: JsonObject = {
            "id": number,
            "file_name": picture.name,
            "height": int(truth.shape[0]),
            "width": int(truth.shape[1]),
            "license": 1,
            "group": _group(mat.stem),
        }
        images.append(image)
        annotations += annotations_of(truth, labels, image_id=number, first=len(annotations))
        place_image(picture, out / "images" / picture.name)
    return write_dataset(
        out,
        source="Clothing Co-Parsing, github.com/bearpaw/clothing-co-parsing",
        licence="Apache-2.0",
        taxonomy=MODANET_PERSON,
        images=images,
        annotations=annotations,
    )


def annotations_of(
    truth: NDArray[np.uint8], labels: list[str], *, image_id: int, first: int
) -> list[JsonObject]:
    """COCO annotations of one label picture: (height, width), values index ``labels``."""
    number = {tag: index for index, tag in enumerate(labels)}
    regions: list[tuple[str, NDArray[np.bool_], int]] = []
    for category, tags in TAGS.items():
        for tag in tags:
            regions.append((category, truth == number[tag], 0))
    regions.append((PERSON, truth != number["null"], 0))
    regions += [(PERSON, truth == number[tag], 1) for tag in IGNORED]
    kept = [region for region in regions if region[1].sum() >= SMALLEST]
    return [
        annotation_of(
            mask,
            number=first + n + 1,
            image_id=image_id,
            category_id=MODANET_PERSON.id_of(category),
            iscrowd=iscrowd,
        )
        for n, (category, mask, iscrowd) in enumerate(kept)
    ]


def _labels(source: Path) -> list[str]:
    path = source / "label_list.mat"
    if not path.exists():
        raise DatasetRejected(f"{source} is no CCP folder: label_list.mat is missing.")
    return [str(cell[0]) for cell in loadmat(path)["label_list"].ravel()]


def _group(stem: str) -> str:
    return next((pair[0] for pair in NEAR_DUPLICATES if stem in pair), stem)
