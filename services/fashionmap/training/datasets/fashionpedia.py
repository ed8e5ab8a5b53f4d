"""Fashionpedia (https://fashionpedia.github.io, arXiv 2004.12276): COCO form with attributes."""

from pathlib import Path

from fashionmap.domain.taxonomy import FASHIONPEDIA, MODANET
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import Converted, read_coco
from fashionmap.training.datasets.plain_coco import copy_coco

AS_MODANET = {
    "shirt, blouse": "top",
    "top, t-shirt, sweatshirt": "top",
    "sweater": "outer",
    "cardigan": "outer",
    "jacket": "outer",
    "vest": "outer",
    "coat": "outer",
    "cape": "outer",
    "jumpsuit": "outer",
    "pants": "pants",
    "shorts": "shorts",
    "skirt": "skirt",
    "dress": "dress",
    "hat": "headwear",
    "headband, head covering, hair accessory": "headwear",
    "tie": "scarf&tie",
    "scarf": "scarf&tie",
    "belt": "belt",
    "shoe": "footwear",
    "bag, wallet": "bag",
}
"""Fashionpedia's apparel as ModaNet's thirteen; it does not tell boots from shoes, nor sunglasses
from glasses. Sweaters and jumpsuits are outer by ModaNet's own definition."""

IGNORED = ("glasses", "glove", "watch", "leg warmer", "tights, stockings", "sock", "umbrella")
"""Apparel that is none of the thirteen: neither garment nor background."""

APPAREL = 27
"""Categories after these are parts of garments."""


def convert_fashionpedia(
    annotations: Path, images: Path, out: Path, *, as_modanet: bool = False
) -> Converted:
    """Copies Fashionpedia; ``attribute_ids`` and the list of attributes are kept.

    Args:
        annotations: ``instances_attributes_train2020.json`` or the like.
        images: Folder of its pictures.
        out: Data set to write.
        as_modanet: Whether apparel becomes ModaNet's thirteen and parts are left out; else all 46
            categories are kept.
    """
    document = read_coco(annotations)
    names = {int(c["id"]): str(c["name"]) for c in document["categories"]}
    if not set(names.values()) <= set(FASHIONPEDIA.categories):
        raise DatasetRejected(f"{annotations} has categories that Fashionpedia has not.")
    if as_modanet:
        ids = {n: MODANET.id_of(AS_MODANET[c]) for n, c in names.items() if c in AS_MODANET}
        ignored = frozenset(n for n, c in names.items() if c in IGNORED)
        ids |= dict.fromkeys(ignored, 1)  # of a region to ignore, the category means nothing
    else:
        ids, ignored = {n: FASHIONPEDIA.id_of(c) for n, c in names.items()}, frozenset()
    return copy_coco(
        document,
        images,
        out,
        ids=ids,
        ignored=ignored,
        taxonomy=MODANET if as_modanet else FASHIONPEDIA,
        source="Fashionpedia, fashionpedia.github.io",
        licence="CC BY 4.0",
    )
