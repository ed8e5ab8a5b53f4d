"""Pseudo-labels: what a segmenter is sure of, what it is unsure of, and what goes nowhere."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fashionmap.errors import DatasetRejected
from fashionmap.segmentation.model import load_segmenter
from fashionmap.training.datasets.coco_form import decode_segmentation, read_coco
from fashionmap.training.datasets.own_labels import SURE, UNSURE, convert_photos
from fashionmap.training.datasets.verify import verify_dataset


def test_given_photos_when_labelled_then_sure_masks_are_true_and_blank_walls_are_left_out(
    looks: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for path in sorted((looks / "images").iterdir())[:4]:
        (photos / path.name).write_bytes(path.read_bytes())
    cv2.imwrite(str(photos / "wall.jpg"), np.full((300, 200, 3), 140, np.uint8))
    made = convert_photos(photos, tmp_path / "out", load_segmenter(threshold=UNSURE))
    assert made.images == 4
    assert made.left_out == ["wall.jpg: no garment is sure."]
    document, truth = (
        read_coco(folder / "annotations.json") for folder in (tmp_path / "out", looks)
    )
    names = {image["id"]: image["file_name"] for image in document["images"]}
    sizes = {image["file_name"]: image for image in truth["images"]}
    sure = [a for a in document["annotations"] if not a["iscrowd"]]
    right = 0
    for label in sure:
        image = sizes[names[label["image_id"]]]
        size = {"height": image["height"], "width": image["width"]}
        mask = decode_segmentation(label["segmentation"], **size) > 0
        others = [
            decode_segmentation(a["segmentation"], **size) > 0
            for a in truth["annotations"]
            if a["image_id"] == image["id"] and a["category_id"] == label["category_id"]
        ]
        right += any((mask & o).sum() > SURE * (mask | o).sum() for o in others)
    assert len(sure) >= 8
    assert right >= 0.75 * len(sure)
    assert not list(verify_dataset(tmp_path / "out"))


def test_given_an_empty_folder_when_labelled_then_one_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetRejected, match="no pictures"):
        convert_photos(tmp_path, tmp_path / "out", load_segmenter(threshold=UNSURE))
