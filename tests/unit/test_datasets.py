"""Converters on fixtures in each source's true form, and splits."""

import hashlib
import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from fashionmap.domain.taxonomy import FASHIONPEDIA, MODANET, MODANET_PERSON
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.ccp import IGNORED, TAGS, annotations_of, convert_ccp
from fashionmap.training.datasets.coco_form import read_coco
from fashionmap.training.datasets.contact_sheet import draw_sheet
from fashionmap.training.datasets.deepfashion2 import convert_deepfashion2
from fashionmap.training.datasets.fashionpedia import AS_MODANET, convert_fashionpedia
from fashionmap.training.datasets.fashionpedia import IGNORED as NOT_MODANET
from fashionmap.training.datasets.plain_coco import convert_coco, convert_sample
from fashionmap.training.datasets.split import split_dataset
from fashionmap.training.datasets.verify import verify_dataset

SQUARE = [10, 10, 60, 10, 60, 80, 10, 80]


def picture(path: Path, *, seed: int = 0, size: tuple[int, int] = (120, 100)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rough = np.random.default_rng(seed).integers(0, 255, (12, 10, 3)).astype(np.uint8)
    cv2.imwrite(str(path), cv2.resize(rough, size[::-1], interpolation=cv2.INTER_CUBIC))


def item(category: int, name: str, *, style: int) -> dict[str, object]:
    """An item of DeepFashion2 with every field that its files have."""
    return {
        "category_name": name,
        "category_id": category,
        "style": style,
        "bounding_box": [10, 10, 60, 80],
        "landmarks": [1, 2, 2],
        "segmentation": [SQUARE],
        **dict.fromkeys(("scale", "occlusion", "zoom_in", "viewpoint"), 1),
    }


def test_given_deepfashion2_when_converted_then_items_pairs_styles_and_sources_are_kept(
    tmp_path: Path,
) -> None:
    source = tmp_path / "train"
    for number in (1, 2, 3):
        picture(source / "image" / f"{number:06d}.jpg", seed=number)
    dress, top = item(12, "vest dress", style=2), item(1, "short sleeve top", style=0)
    documents = {
        "000001": {"source": "shop", "pair_id": 77, "item1": dress, "item2": top},
        "000002": {"source": "user", "pair_id": 77, "item10": dress, "item2": top},
        "000003": {"source": "user", "pair_id": 8, "item1": item(12, "skirt", style=1)},
        "000004": {"source": "user", "pair_id": 9, "item1": dress},
    }
    (source / "annos").mkdir()
    for name, document in documents.items():
        (source / "annos" / f"{name}.json").write_text(json.dumps(document))
    made = convert_deepfashion2(source, tmp_path / "out")
    assert (made.images, made.annotations) == (2, 4)
    assert "item1 is not in DeepFashion2's form" in made.left_out[0]
    assert "000004.jpg is missing" in made.left_out[1]
    document = read_coco(tmp_path / "out" / "annotations.json")
    assert document["categories"][11]["name"] == "vest dress"
    assert [a.get("pair") for a in document["annotations"]] == ["77-2", None, None, "77-2"]
    assert [a["style"] for a in document["annotations"]] == [2, 0, 0, 2]
    assert document["annotations"][0]["bbox"] == [10, 10, 50, 70]
    assert document["annotations"][0]["area"] == 3500
    assert [(i["source"], i["pair_id"]) for i in document["images"]] == [("shop", 77), ("user", 77)]
    assert len({i["group"] for i in document["images"]}) == 1
    assert list(verify_dataset(tmp_path / "out")) == []


def fashionpedia(folder: Path) -> Path:
    """Fashionpedia's form: polygons and RLE, attributes, a doubled annotation id."""
    picture(folder / "images" / "a.jpg")
    size = {"height": 120, "width": 100}
    names = FASHIONPEDIA.categories
    categories = [
        {"id": i, "name": n, "supercategory": "", "level": 2, "taxonomy_id": ""}
        for i, n in enumerate(names)
    ]
    square = {"area": 3500, "bbox": [10, 10, 50, 70], "iscrowd": 0, "image_id": 23}
    polygon = {**square, "segmentation": [SQUARE]}
    rle = {"size": [120, 100], "counts": [10 * 120 + 10, 70, *[50, 70] * 49, 40 * 120 + 40]}
    annotations = [
        {**polygon, "id": 5, "category_id": 4, "attribute_ids": [3, 9]},
        {**square, "id": 5, "category_id": 31, "attribute_ids": [1], "segmentation": rle},
        {**polygon, "id": 7, "category_id": 17, "attribute_ids": []},
    ]
    document = {
        "info": {"description": "", "year": "2020"},
        "licenses": [{"id": 1, "name": "Attribution License", "url": ""}],
        "categories": categories,
        "attributes": [{"id": 3, "name": "single-breasted", "supercategory": "", "level": 1}],
        "images": [{"id": 23, "file_name": "a.jpg", "license": 1, "kaggle_id": "x", **size}],
        "annotations": annotations,
    }
    (folder / "instances.json").write_text(json.dumps(document))
    return folder / "instances.json"


def test_given_fashionpedia_when_converted_then_attributes_stay_and_doubled_ids_are_mended(
    tmp_path: Path,
) -> None:
    file = fashionpedia(tmp_path)
    convert_fashionpedia(file, tmp_path / "images", tmp_path / "out")
    made = read_coco(tmp_path / "out" / "annotations.json")
    assert [c["name"] for c in made["categories"]] == list(FASHIONPEDIA.categories)
    assert [(a["id"], a["category_id"]) for a in made["annotations"]] == [(1, 5), (2, 32), (3, 18)]
    assert made["annotations"][0]["attribute_ids"] == [3, 9]
    assert made["attributes"][0]["name"] == "single-breasted"
    assert list(verify_dataset(tmp_path / "out")) == []


def test_given_fashionpedia_when_mapped_to_modanet_then_parts_go_and_gloves_are_ignored(
    tmp_path: Path,
) -> None:
    assert set(AS_MODANET) | set(NOT_MODANET) == set(FASHIONPEDIA.categories[:27])
    file = fashionpedia(tmp_path)
    convert_fashionpedia(file, tmp_path / "images", tmp_path / "out", as_modanet=True)
    made = read_coco(tmp_path / "out" / "annotations.json")
    named = [(MODANET.categories[a["category_id"] - 1], a["iscrowd"]) for a in made["annotations"]]
    assert named[0] == ("outer", 0)
    assert [crowd for _, crowd in named] == [0, 1]
    assert list(verify_dataset(tmp_path / "out")) == []


def test_given_plain_coco_when_converted_then_ids_and_checksums_fit(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.jpg")
    annotation = {"id": 5, "image_id": 1, "category_id": 40, "segmentation": [SQUARE]}
    annotation |= {"bbox": [10, 10, 50, 70], "area": 3500}
    size = {"height": 120, "width": 100}
    document = {
        "images": [
            {"id": 1, "file_name": "a.jpg", **size},
            {"id": 2, "file_name": "gone.jpg", **size},
        ],
        "categories": [{"id": 40, "name": "coat"}],
        "annotations": [annotation, annotation],
    }
    (tmp_path / "c.json").write_text(json.dumps(document))
    made = convert_coco(tmp_path / "c.json", tmp_path / "images", tmp_path / "out")
    assert made.left_out == ["Picture gone.jpg is missing."]
    kept = read_coco(tmp_path / "out" / "annotations.json")["annotations"]
    assert [(a["id"], a["category_id"]) for a in kept] == [(1, 1), (2, 1)]
    about = json.loads((tmp_path / "out" / "dataset.json").read_text())
    data = (tmp_path / "out" / "annotations.json").read_bytes()
    assert about["sha256"]["annotations.json"] == hashlib.sha256(data).hexdigest()
    assert about["categories"] == ["coat"]
    sums = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    subprocess.run(sums, cwd=tmp_path / "out", check=True)


def test_given_a_file_name_that_leads_outside_when_converted_then_it_is_refused(
    tmp_path: Path,
) -> None:
    image = {"id": 1, "file_name": "../../secret.jpg", "height": 1, "width": 1}
    document = {"images": [image], "categories": [], "annotations": []}
    (tmp_path / "c.json").write_text(json.dumps(document))
    with pytest.raises(DatasetRejected, match="no file name inside"):
        convert_coco(tmp_path / "c.json", tmp_path, tmp_path / "out")


def test_given_sample_looks_when_converted_and_verified_then_nothing_is_wrong(
    looks: Path, tmp_path: Path
) -> None:
    assert list(verify_dataset(looks)) == []
    made = convert_sample(looks, tmp_path / "out")
    assert made.images == 12
    about = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert about["taxonomy"] == MODANET_PERSON.name
    assert about["licence"] == "CC0-1.0"
    assert split_dataset(tmp_path / "out", val_fraction=0.25, seed=1) == (9, 3)
    assert list(verify_dataset(tmp_path / "out")) == []


def test_given_ccp_labels_when_read_then_tags_are_instances_and_other_clothes_are_crowds() -> None:
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
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
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
    assert list(verify_dataset(tmp_path / "out")) == []


def test_given_groups_when_split_then_they_stay_together_and_categories_are_shared(
    tmp_path: Path,
) -> None:
    images = [{"id": i, "file_name": f"{i}.jpg", "group": str(i // 2)} for i in range(200)]
    annotations = [
        {"id": i, "image_id": i, "category_id": 1 if i % 10 else 2, "iscrowd": 0}
        for i in range(200)
    ]
    categories = [{"id": 1, "name": "top"}, {"id": 2, "name": "belt"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "annotations.json").write_text(json.dumps(document))
    assert split_dataset(tmp_path, val_fraction=0.2, seed=3) == (160, 40)
    first = (tmp_path / "val.json").read_bytes()
    split_dataset(tmp_path, val_fraction=0.2, seed=3)
    assert (tmp_path / "val.json").read_bytes() == first
    val = read_coco(tmp_path / "val.json")
    ids = {i["id"] for i in val["images"]}
    assert all((i ^ 1) in ids for i in ids)
    assert 3 <= sum(a["category_id"] == 2 for a in val["annotations"]) <= 5


def test_given_no_data_set_when_split_then_one_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetRejected, match="does not exist"):
        split_dataset(tmp_path, val_fraction=0.2, seed=3)


def test_given_a_data_set_when_shown_then_there_is_a_picture(looks: Path) -> None:
    sheet = draw_sheet(read_coco(looks / "annotations.json"), looks / "images", count=4, columns=2)
    image = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (880, 600, 3)
