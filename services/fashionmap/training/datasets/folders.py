"""Pictures of single garments in folders named by category, with masks by GrabCut.

clothing-dataset-small (https://github.com/alexeygrigorev/clothing-dataset-small, CC0) has this
form. Nobody drew its masks: GrabCut (Rother et al. 2004, doi 10.1145/1015706.1015720) parts the
garment in the middle from what lies along the edges, and pictures where that fails are left out.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionmap.domain.taxonomy import MODANET_PERSON
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    Converted,
    JsonObject,
    annotation_of,
    place_image,
    write_dataset,
)

FOLDERS: dict[str, str] = {
    "dress": "dress",
    "hat": "headwear",
    "longsleeve": "top",
    "outwear": "outer",
    "pants": "pants",
    "shirt": "top",
    "shoes": "footwear",
    "shorts": "shorts",
    "skirt": "skirt",
    "t-shirt": "top",
}
"""ModaNet's category for each folder of clothing-dataset-small."""

SIDE = 200
"""GrabCut works on pictures reduced to this longest side."""
EDGE, HEART = 0.03, 0.18
"""Shares of the sides that are surely background along the edges, surely garment in the middle."""


def convert_folders(source: Path, out: Path, *, per_folder: int, seed: int) -> Converted:
    """Converts at most so many pictures a folder, drawn by ``seed``.

    A picture in which GrabCut finds no clear garment is left out, and another drawn instead.

    Raises:
        DatasetRejected: A folder is missing or empty.
    """
    random = np.random.default_rng(seed)
    images: list[JsonObject] = []
    annotations: list[JsonObject] = []
    left_out: list[str] = []
    for folder, category in FOLDERS.items():
        files = sorted((source / folder).glob("*.jpg"))
        if not files:
            raise DatasetRejected(f"{source} has no pictures in a folder {folder!r}.")
        drawn = (files[i] for i in random.permutation(len(files)))
        for path, mask in islice(_clear(drawn, left_out), per_folder):
            number, name = len(images) + 1, f"{folder}-{path.name}"
            size = {"height": mask.shape[0], "width": mask.shape[1]}
            images.append({"id": number, "file_name": name, **size, "license": 1, "group": name})
            label = MODANET_PERSON.id_of(category)
            made = annotation_of(mask, number=number, image_id=number, category_id=label)
            annotations.append(made)
            place_image(path, out / "images" / name)
    return write_dataset(
        out,
        source="clothing-dataset-small, github.com/alexeygrigorev/clothing-dataset-small",
        licence="CC0-1.0",
        taxonomy=MODANET_PERSON,
        images=images,
        annotations=annotations,
        left_out=left_out,
    )


def _clear(files: Iterable[Path], left_out: list[str]) -> Iterator[tuple[Path, NDArray[np.bool_]]]:
    """Pictures with their masks; of the others it is noted why not."""
    for path in files:
        mask = garment_mask(path)
        if mask is None:
            left_out.append(f"{path.parent.name}/{path.name}: no garment stands out.")
        else:
            yield path, mask


def garment_mask(path: Path) -> NDArray[np.bool_] | None:
    """The garment's pixels, bool (height, width); None where they do not stand out."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        return None
    height, width = picture.shape[:2]
    shrink = min(1.0, SIDE / max(height, width))
    size = (round(width * shrink), round(height * shrink))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    found = _largest_part(_grab_cut(small))
    if not _stands_out(found, small):
        return None
    mask = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(mask, (5, 5), 0) > 127)


def _grab_cut(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    guess = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
    far = int(0.12 * width), int(0.12 * height)
    guess[: far[1]], guess[-far[1] :] = cv2.GC_PR_BGD, cv2.GC_PR_BGD
    guess[:, : far[0]], guess[:, -far[0] :] = cv2.GC_PR_BGD, cv2.GC_PR_BGD
    edge = max(int(EDGE * width), 2), max(int(EDGE * height), 2)
    guess[: edge[1]], guess[-edge[1] :] = cv2.GC_BGD, cv2.GC_BGD
    guess[:, : edge[0]], guess[:, -edge[0] :] = cv2.GC_BGD, cv2.GC_BGD
    centre, axes = (width // 2, height // 2), (int(HEART * width), int(HEART * height))
    cv2.ellipse(guess, centre, axes, 0, 0, 360, cv2.GC_FGD, -1)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(picture, guess, (0, 0, 1, 1), *models, 6, cv2.GC_INIT_WITH_MASK)
    inside: NDArray[np.uint8] = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    return inside


def _largest_part(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest connected part with its holes filled, uint8 (h, w) in {0, 255}."""
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 255, -1)
    return filled


def _stands_out(mask: NDArray[np.uint8], picture: NDArray[np.uint8]) -> bool:
    """Of a garment's size, compact, not running into the edges, and with an outline to be seen."""
    inside = mask > 0
    share = float(inside.mean())
    if not 0.1 <= share <= 0.72:
        return False
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = contours[0]
    hull = cv2.contourArea(cv2.convexHull(outline))
    compact = cv2.contourArea(outline) / max(hull, 1.0)
    edge = 5
    ring = np.r_[inside[edge], inside[-edge - 1], inside[:, edge], inside[:, -edge - 1]]
    lab = cv2.cvtColor(picture, cv2.COLOR_BGR2LAB).astype(np.float32)
    thick = np.ones((9, 9), np.uint8)
    outer = (cv2.dilate(mask, thick) > 0) & ~inside
    inner = inside & ~(cv2.erode(mask, thick) > 0)
    contrast = float(np.linalg.norm(lab[outer].mean(0) - lab[inner].mean(0)))
    return compact > 0.62 and float(ring.mean()) < 0.12 and contrast > 22
