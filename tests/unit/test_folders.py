"""Single garments in folders: their masks by GrabCut."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import decode_segmentation, read_coco
from fashionmap.training.datasets.folders import FOLDERS, convert_folders


def draw_garment(path: Path, *, seed: int, garment: bool = True) -> NDArray[np.bool_]:
    """A red shirt's outline on grey planks; returns its pixels."""
    random = np.random.default_rng(seed)
    picture = random.normal(130, 6, (160, 120, 3))
    mask = np.zeros((160, 120), np.uint8)
    if garment:
        outline = [(35, 40), (50, 34), (70, 34), (85, 40), (92, 70), (80, 74), (80, 130), (40, 130)]
        cv2.fillPoly(mask, [np.array([*outline, (40, 74), (28, 70)])], 1)
        picture[mask > 0] = random.normal((40, 30, 190), 6, (int(mask.sum()), 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.clip(picture, 0, 255).astype(np.uint8))
    return mask > 0


def test_given_folders_of_garments_when_converted_then_masks_fit_and_what_is_unclear_is_told(
    tmp_path: Path,
) -> None:
    truths = {
        f"{folder}-a.jpg": draw_garment(tmp_path / "in" / folder / "a.jpg", seed=n)
        for n, folder in enumerate(FOLDERS)
    }
    draw_garment(tmp_path / "in" / "hat" / "blank.jpg", seed=99, garment=False)
    made = convert_folders(tmp_path / "in", tmp_path / "out", per_folder=2, seed=1)
    assert (made.images, made.annotations) == (len(FOLDERS), len(FOLDERS))
    assert made.left_out == ["hat/blank.jpg: no garment stands out."]
    document = read_coco(tmp_path / "out" / "annotations.json")
    names = {c["id"]: c["name"] for c in document["categories"]}
    for image, annotation in zip(document["images"], document["annotations"], strict=True):
        found = decode_segmentation(annotation["segmentation"], height=160, width=120) > 0
        truth = truths[image["file_name"]]
        assert (found & truth).sum() / (found | truth).sum() > 0.9
        assert names[annotation["category_id"]] == FOLDERS[image["file_name"].split("-a.")[0]]


def test_given_a_missing_folder_when_converted_then_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetRejected, match="dress"):
        convert_folders(tmp_path, tmp_path / "out", per_folder=1, seed=0)
