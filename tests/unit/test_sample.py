"""Drawn looks: the same for equal seeds, and truth that is true."""

import json
from collections import Counter

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from fashionmap.domain.taxonomy import MODANET_PERSON, PERSON
from fashionmap.sample.dataset import annotations_of, encode_jpeg, write_looks
from fashionmap.sample.look import draw_look


def test_given_a_seed_when_drawn_twice_then_bytes_are_equal_and_other_numbers_differ() -> None:
    assert encode_jpeg(draw_look(4, 2)) == encode_jpeg(draw_look(4, 2))
    assert encode_jpeg(draw_look(4, 2)) != encode_jpeg(draw_look(4, 3))


def test_given_looks_when_written_then_they_do_not_depend_on_how_many(tmp_path, looks) -> None:
    write_looks(tmp_path, count=2, seed=11)
    for name in ("000001.jpg", "000002.jpg"):
        assert (tmp_path / "images" / name).read_bytes() == (looks / "images" / name).read_bytes()


def test_given_looks_when_read_by_pycocotools_then_masks_are_those_of_what_is_seen(
    looks, capsys
) -> None:
    coco = COCO(looks / "annotations.json")
    assert len(coco.imgs) == 12
    for number in coco.imgs:
        labels = draw_look(11, number).labels
        person = np.zeros_like(labels)
        for annotation in coco.loadAnns(coco.getAnnIds(number)):
            name = coco.cats[annotation["category_id"]]["name"]
            mask = coco_mask.decode(annotation["segmentation"])
            seen = labels > 0 if name == PERSON else labels == annotation["category_id"]
            assert (mask == seen).all()
            assert annotation["area"] == mask.sum()
            person |= mask
        assert (person == (labels > 0)).all()


def test_given_eighty_looks_when_counted_then_all_categories_occur() -> None:
    names = Counter()
    for number in range(80):
        for annotation in annotations_of(draw_look(2, number), number):
            names[MODANET_PERSON.categories[annotation["category_id"] - 1]] += 1
    assert set(names) == set(MODANET_PERSON.categories)
    assert min(names.values()) >= 4


def test_given_a_folder_of_looks_when_read_then_it_says_what_it_is(looks) -> None:
    about = json.loads((looks / "dataset.json").read_text())
    assert about["taxonomy"] == "modanet+person"
    assert about["licence"] == "CC0-1.0"
