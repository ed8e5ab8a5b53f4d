"""Converters on fixtures in each source's true form, and every fault that verify must find."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.ccp import annotations_of, convert_ccp
from fashionmap.training.datasets.coco_form import read_coco
from fashionmap.training.datasets.contact_sheet import draw_sheet
from fashionmap.training.datasets.deepfashion2 import convert_deepfashion2
from fashionmap.training.datasets.modanet import convert_modanet
from fashionmap.training.datasets.plain_coco import convert_coco
from fashionmap.training.datasets.verify import verify_dataset

SQUARE = [10, 10, 60, 10, 60, 80, 10, 80]
OTHER = [70, 60, 90, 60, 90, 80, 70, 80]


def picture(path: Path, *, seed: int = 0, size: tuple[int, int] = (120, 100)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rough = np.random.default_rng(seed).integers(0, 255, (12, 10, 3)).astype(np.uint8)
    cv2.imwrite(str(path), cv2.resize(rough, size[::-1], interpolation=cv2.INTER_CUBIC))


def test_given_deepfashion2_when_converted_then_items_and_pairs_are_kept(tmp_path: Path) -> None:
    source = tmp_path / "train"
    picture(source / "image" / "000001.jpg")
    item = {
        "category_name": "vest dress",
        "category_id": 12,
        "style": 2,
        "bounding_box": [10, 10, 60, 80],
        "landmarks": [1, 2, 2],
        "segmentation": [SQUARE],
        **dict.fromkeys(("scale", "occlusion", "zoom_in", "viewpoint"), 1),
    }
    document = {"source": "shop", "pair_id": 77, "item1": item, "item2": {**item, "style": 0}}
    (source / "annos").mkdir()
    (source / "annos" / "000001.json").write_text(json.dumps(document))
    convert_deepfashion2(source, tmp_path / "out")
    made = read_coco(tmp_path / "out" / "annotations.json")
    assert made["categories"][11]["name"] == "vest dress"
    assert [a.get("pair") for a in made["annotations"]] == ["77-2", None]
    assert made["annotations"][0]["bbox"] == [10, 10, 50, 70]
    assert made["annotations"][0]["area"] == 3500
    assert made["images"][0]["source"] == "shop"
    assert verify_dataset(tmp_path / "out") == []


@pytest.mark.parametrize("form", ["lmdb", "folder"])
def test_given_modanet_when_converted_then_pairs_of_shoes_are_one_instance(
    form: str, tmp_path: Path
) -> None:
    picture(tmp_path / "p.jpg")
    data = (tmp_path / "p.jpg").read_bytes()
    if form == "lmdb":
        import lmdb

        environment = lmdb.open(str(tmp_path / "photos.lmdb"), map_size=2**24)
        with environment, environment.begin(write=True) as transaction:
            transaction.put(b"17", data)
    else:
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "17.jpg").write_bytes(data)
    annotation = {"image_id": 17, "iscrowd": 0, "area": 1, "bbox": [10, 10, 50, 70]}
    document = {
        "images": [
            {"id": i, "file_name": f"{i:07d}.jpg", "width": 100, "height": 120, "license": 3}
            for i in (17, 18)
        ],
        "categories": [{"id": 4, "name": "footwear"}, {"id": 9, "name": "top"}],
        "annotations": [
            {**annotation, "id": 1, "category_id": 4, "segmentation": [SQUARE]},
            {**annotation, "id": 2, "category_id": 4, "segmentation": [OTHER]},
            {**annotation, "id": 3, "category_id": 9, "segmentation": [SQUARE]},
        ],
    }
    (tmp_path / "modanet2018_instances_train.json").write_text(json.dumps(document))
    with pytest.raises(DatasetRejected, match="MD5"):
        convert_modanet(tmp_path, tmp_path / "out")
    assert convert_modanet(tmp_path, tmp_path / "out", check=False) == 1
    made = read_coco(tmp_path / "out" / "annotations.json")
    assert len(made["images"]) == 1
    pair = next(a for a in made["annotations"] if a["category_id"] == 4)
    assert len(made["annotations"]) == 2
    assert len(pair["segmentation"]) == 2
    assert pair["bbox"] == [10, 10, 80, 70]
    assert verify_dataset(tmp_path / "out") == []


def test_given_coco_with_doubled_ids_when_converted_then_they_are_mended_and_fields_kept(
    tmp_path: Path,
) -> None:
    picture(tmp_path / "images" / "a.jpg")
    annotation = {"id": 5, "image_id": 1, "category_id": 40, "segmentation": [SQUARE]}
    annotation |= {"bbox": [10, 10, 50, 70], "area": 3500, "attribute_ids": [3, 9]}
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 120, "width": 100}],
        "categories": [{"id": 40, "name": "coat"}],
        "annotations": [annotation, annotation],
    }
    (tmp_path / "c.json").write_text(json.dumps(document))
    convert_coco(tmp_path / "c.json", tmp_path / "images", tmp_path / "out")
    made = read_coco(tmp_path / "out" / "annotations.json")
    assert [a["id"] for a in made["annotations"]] == [1, 2]
    assert made["annotations"][0]["category_id"] == 1
    assert made["annotations"][0]["attribute_ids"] == [3, 9]
    about = json.loads((tmp_path / "out" / "dataset.json").read_text())
    data = (tmp_path / "out" / "annotations.json").read_bytes()
    assert about["sha256"]["annotations.json"] == hashlib.sha256(data).hexdigest()


def test_given_ccp_labels_when_read_then_tags_are_instances_and_other_clothes_are_crowds() -> None:
    from fashionmap.domain.taxonomy import MODANET_PERSON
    from fashionmap.training.datasets.ccp import IGNORED, TAGS

    labels = ["null", "skin", *{t for tags in TAGS.values() for t in tags}, *IGNORED]
    truth = np.zeros((60, 60), np.uint8)
    truth[5:55, 5:25] = labels.index("jeans")
    truth[5:55, 25:45] = labels.index("socks")
    truth[0:3, 0:3] = labels.index("belt")
    found = annotations_of(truth, labels, image_id=1, first=10)
    named = [(MODANET_PERSON.categories[a["category_id"] - 1], a["iscrowd"]) for a in found]
    assert named == [("pants", 0), ("person", 0), ("person", 1)]
    assert found[1]["area"] == 2009


def test_given_the_real_ccp_when_converted_then_pycocotools_reads_it(
    shared: Path, tmp_path: Path, capsys
) -> None:
    source = tmp_path / "ccp"
    for name in ("photos", "annotations/pixel-level"):
        (source / name).mkdir(parents=True)
    for stem in ("0001", "0078", "0984"):
        for part in (f"photos/{stem}.jpg", f"annotations/pixel-level/{stem}.mat"):
            (source / part).symlink_to(shared / "data" / "ccp" / part)
    (source / "label_list.mat").symlink_to(shared / "data" / "ccp" / "label_list.mat")
    convert_ccp(source, tmp_path / "out")
    coco = COCO(tmp_path / "out" / "annotations.json")
    assert len(coco.imgs) == 3
    assert coco.imgs[78]["group"] == coco.imgs[984]["group"]
    assert verify_dataset(tmp_path / "out") == []


def test_given_planted_faults_when_verified_then_each_is_found(tmp_path: Path) -> None:
    for name, seed in (("a.jpg", 1), ("twin.jpg", 1), ("small.jpg", 2), ("b.jpg", 3)):
        size = (50, 40) if name == "small.jpg" else (120, 100)
        picture(tmp_path / "images" / name, seed=seed, size=size)
    (tmp_path / "images" / "rubbish.jpg").write_bytes(b"rubbish")
    names = ["a.jpg", "twin.jpg", "small.jpg", "b.jpg", "rubbish.jpg", "gone.jpg"]
    images = [
        {"id": i, "file_name": n, "height": 120, "width": 100} for i, n in enumerate(names, 1)
    ]
    images.append({**images[3], "id": 4})
    good = {"image_id": 4, "category_id": 1, "bbox": [10, 10, 50, 70], "segmentation": [SQUARE]}
    faults = [
        {"segmentation": [[]]},
        {"segmentation": [[10, 10, 60, 80, 60, 10, 10, 80]]},
        {"segmentation": [[10, 10, 160, 10, 160, 80, 10, 80]]},
        {"bbox": [0, 0, 99, 99]},
        {"category_id": 9},
        {"image_id": 99},
        {"id": 1},
    ]
    annotations = [{**good, "id": i, **fault} for i, fault in enumerate([{}, *faults], start=1)]
    document = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "top"}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(document))
    for part, kept in (("train", images[:1]), ("val", [images[1], images[3]])):
        (tmp_path / f"{part}.json").write_text(json.dumps({**document, "images": kept}))
    found = "\n".join(verify_dataset(tmp_path))
    for words in (
        "gone.jpg is missing",
        "rubbish.jpg cannot be read",
        "small.jpg is not of the size",
        "Id 4 stands 2 times among the images",
        "Id 1 stands 2 times among the annotations",
        "has an empty polygon",
        "crosses itself",
        "out of bounds",
        "a box that does not fit",
        "unknown category 9",
        "unknown image 99",
        "a.jpg (train) and twin.jpg (val) are alike",
    ):
        assert words in found, words
    assert "Annotation 1 has" not in found


def test_given_a_data_set_when_shown_then_there_is_a_picture(looks: Path) -> None:
    sheet = draw_sheet(read_coco(looks / "annotations.json"), looks / "images", count=4, columns=2)
    image = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (880, 600, 3)
