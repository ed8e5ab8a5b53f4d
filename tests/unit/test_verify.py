"""Every fault that verify must find, each planted alone, and that it stays quick and small."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fashionmap.domain.taxonomy import Taxonomy
from fashionmap.training.datasets.alike import alike
from fashionmap.training.datasets.coco_form import write_dataset
from fashionmap.training.datasets.pictures import Look
from fashionmap.training.datasets.shapes import crosses_itself
from fashionmap.training.datasets.split import split_dataset
from fashionmap.training.datasets.verify import verify_dataset
from tests.unit.test_datasets import SQUARE, picture

Document = dict[str, Any]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split data set without a fault."""
    folder = tmp_path_factory.mktemp("sound")
    size = {"height": 120, "width": 100}
    images = [{"id": i, "file_name": f"{i}.png", **size} for i in range(1, 9)]
    for image in images:
        picture(folder / "images" / str(image["file_name"]), seed=int(str(image["id"])))
    annotations = [
        {
            **{"id": i, "image_id": i, "category_id": 1, "iscrowd": 0, "area": 3500},
            **{"bbox": [10, 10, 50, 70], "segmentation": [SQUARE]},
        }
        for i in range(1, 9)
    ]
    taxonomy = Taxonomy("clothes", ("top",))
    parts: Any = {"taxonomy": taxonomy, "images": images, "annotations": annotations}
    write_dataset(folder, source="drawn", licence="CC0", **parts)
    split_dataset(folder, val_fraction=0.25, seed=1)
    assert list(verify_dataset(folder)) == []
    return folder


def edited(change: Callable[[Document], object]) -> Callable[[Path], None]:
    """A fault in ``annotations.json``, with its checksum made to fit."""

    def plant(folder: Path) -> None:
        document = json.loads((folder / "annotations.json").read_text())
        change(document)
        data = json.dumps(document).encode()
        (folder / "annotations.json").write_bytes(data)
        about = json.loads((folder / "dataset.json").read_text())
        about["sha256"]["annotations.json"] = hashlib.sha256(data).hexdigest()
        (folder / "dataset.json").write_text(json.dumps(about))

    return plant


def annotated(**fields: object) -> Callable[[Path], None]:
    """Fields of annotation 3 replaced."""
    return edited(lambda d: d["annotations"][2].update(fields))


def val_copy(folder: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """A picture of val becomes a picture of train, changed."""
    names = {
        part: json.loads((folder / f"{part}.json").read_text())["images"][0]["file_name"]
        for part in ("train", "val")
    }
    pixels = cv2.imread(str(folder / "images" / names["train"]))
    cv2.imwrite(str(folder / "images" / names["val"]), change(pixels))


def write(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(data) and None


def truncate(folder: Path) -> None:
    data = (folder / "images" / "4.png").read_bytes()
    (folder / "images" / "4.png").write_bytes(data[: len(data) // 2])


BOW = [10, 10, 60, 80, 60, 10, 10, 80]
FAR = [10, 10, 160, 10, 160, 80, 10, 80]
HALF = [10, 10, 60, 10, 60, 80, 10]
RLE = {"size": [7, 7], "counts": [49]}
EMPTY = {"size": [120, 100], "counts": [12000]}
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda f: (f / "images" / "4.png").unlink(), "Picture 4.png is missing"),
    "unreadable": (write("images/4.png", b"rubbish"), "Picture 4.png cannot be read"),
    "truncated": (truncate, "Picture 4.png cannot be read. It is damaged"),
    "size": (lambda f: picture(f / "images" / "4.png", size=(60, 50)), "4.png is not of the size"),
    "image id": (edited(lambda d: d["images"][1].update(id=1)), "Id 1 stands 2 times among the im"),
    "annotation id": (annotated(id=1), "Id 1 stands 2 times among the annotations"),
    "file twice": (edited(lambda d: d["images"][1].update(file_name="1.png")), "1.png stands 2"),
    "empty": (annotated(segmentation=[]), "Annotation 3 has an empty polygon"),
    "emptier": (annotated(segmentation=[[]]), "Annotation 3 has an empty polygon"),
    "one of two empty": (annotated(segmentation=[SQUARE, [1, 2]]), "3 has an empty polygon"),
    "half": (annotated(segmentation=[HALF]), "Annotation 3 has a polygon with half a point"),
    "no number": (annotated(segmentation=[["a"] * 6]), "3 has a polygon with what is no number"),
    "crossing": (annotated(segmentation=[BOW]), "Annotation 3 has a polygon that crosses itself"),
    "bounds": (annotated(segmentation=[FAR]), "Annotation 3 has a polygon that is out of bounds"),
    "box": (annotated(bbox=[0, 0, 99, 99]), "Annotation 3 has a box that does not fit its mask"),
    "no box": (annotated(bbox=None), "Annotation 3 has no box"),
    "no mask": (annotated(segmentation=None), "Annotation 3 has no mask"),
    "mask size": (annotated(segmentation=RLE), "Annotation 3 has a mask of another size"),
    "empty mask": (annotated(segmentation=EMPTY), "Annotation 3 has an empty mask"),
    "category": (annotated(category_id=9), "Annotation 3 has an unknown category 9"),
    "image": (annotated(image_id=99), "Annotation 3 is of an unknown image 99"),
    "document": (lambda f: (f / "val.json").write_text("{}\n"), "val.json does not fit its check"),
    "picture sum": (lambda f: picture(f / "images/4.png", seed=99), "4.png does not fit its check"),
    "no about": (lambda f: (f / "dataset.json").unlink(), "dataset.json is missing"),
    "duplicate": (lambda f: val_copy(f, lambda p: p), "are the same"),
    "brighter": (lambda f: val_copy(f, lambda p: cv2.add(p, (25, 25, 25, 0))), "are alike"),
    "smaller": (lambda f: val_copy(f, lambda p: cv2.resize(p, (50, 60))), "are alike"),
    "cropped": (
        lambda f: val_copy(f, lambda p: cv2.resize(p[2:118, 1:99], (100, 120))),
        "are alike",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_given_a_planted_fault_when_verified_then_it_is_found(
    fault: str, sound: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(sound, folder)
    plant, words = FAULTS[fault]
    plant(folder)
    if fault == "document":
        shutil.copy(sound / "train.json", folder / "val.json")
    found = list(verify_dataset(folder))
    assert any(words in sentence for sentence in found), found


def test_given_a_picture_on_both_sides_when_verified_then_it_is_named(
    sound: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(sound, folder)
    shutil.copy(folder / "train.json", folder / "val.json")
    assert sum("is in train and in val" in s for s in verify_dataset(folder)) == 6


def test_given_rings_when_asked_then_only_true_crossings_count() -> None:
    def crosses(*points: float) -> bool:
        return crosses_itself(np.array(points, dtype=float).reshape(-1, 2))

    assert crosses(*BOW)
    assert not crosses(*SQUARE)
    assert not crosses(0, 0, 9, 0, 9, 0, 9, 9)
    assert not crosses(0, 0, 5, 0, 5, 5, 5, 0, 9, 0, 9, 9)
    turn = np.linspace(0, 2 * np.pi, 1500, endpoint=False)
    star = np.stack([np.cos(turn), np.sin(turn)], axis=1) * (2 + np.cos(9 * turn))[:, None]
    assert not crosses_itself(star)
    assert crosses_itself(star[np.r_[0:400, 800, 401:800, 400, 801:1500]])


def test_given_fifty_thousand_hashes_when_compared_then_the_planted_pair_is_found_in_seconds() -> (
    None
):
    random = np.random.default_rng(0)
    bits = random.random((50_000, 256)) < 0.5
    thumb = random.integers(0, 255, (16, 16, 3)).astype(np.uint8)
    looks = {str(i): Look(f"{i:064d}", (1, 1), ".png", row, thumb) for i, row in enumerate(bits)}
    train = {n: looks[n] for n in list(looks)[:45_000]}
    val = {n: looks[n] for n in list(looks)[45_000:]}
    near = bits[7].copy()
    near[:20] ^= True
    val["near"] = Look("f" * 64, (1, 1), ".png", near, thumb)
    assert list(alike(train, val)) == [("7", "near", False)]
