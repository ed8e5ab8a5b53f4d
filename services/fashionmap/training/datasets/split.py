"""Seeded, stratified splits of a data set, with near-duplicates kept on one side."""

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import (
    JsonObject,
    read_coco,
    read_json,
    sha256_of,
    write_json,
)


def split_dataset(folder: Path, *, val_fraction: float, seed: int) -> tuple[int, int]:
    """Writes ``train.json`` and ``val.json`` beside ``annotations.json``.

    Images with an equal ``group`` stay together. Every category gets its share of val, the
    rarest first (iterative stratification: Sechidis et al. 2011, doi 10.1007/978-3-642-23808-6_10).

    Returns:
        The numbers of training and of validation images.
    """
    if not 0 < val_fraction < 1:
        raise DatasetRejected(f"A split needs a fraction between 0 and 1, not {val_fraction}.")
    document = read_coco(folder / "annotations.json")
    chosen = _choose(document, val_fraction=val_fraction, seed=seed)
    train = _part(document, lambda image: image["id"] not in chosen)
    val = _part(document, lambda image: image["id"] in chosen)
    write_json(folder / "train.json", train)
    write_json(folder / "val.json", val)
    _note(folder, {"val": val_fraction, "seed": seed})
    return len(train["images"]), len(val["images"])


def _note(folder: Path, split: JsonObject) -> None:
    """Adds the split and its checksums to ``dataset.json``, where there is one."""
    if not (folder / "dataset.json").exists():
        return
    about = read_json(folder / "dataset.json")
    parts = {name: sha256_of(folder / name) for name in ("train.json", "val.json")}
    about |= {"split": split, "sha256": {**about.get("sha256", {}), **parts}}
    write_json(folder / "dataset.json", about)


def _choose(document: JsonObject, *, val_fraction: float, seed: int) -> set[int]:
    groups: dict[str, list[int]] = defaultdict(list)
    for image in document["images"]:
        groups[str(image.get("group", image["id"]))].append(image["id"])
    group_of = {i: name for name, ids in groups.items() for i in ids}
    holds: dict[str, set[int]] = {name: set() for name in groups}
    for annotation in document["annotations"]:
        if annotation["image_id"] in group_of and not annotation.get("iscrowd"):
            holds[group_of[annotation["image_id"]]].add(annotation["category_id"])
    frequency = Counter(c for categories in holds.values() for c in categories)
    wanted = {c: round(n * val_fraction) for c, n in frequency.items()}
    order = sorted(groups)
    np.random.default_rng(seed).shuffle(order)
    chosen: set[int] = set()
    total = round(len(document["images"]) * val_fraction)
    for category in [*sorted(frequency, key=lambda c: (frequency[c], c)), None]:
        for name in order:  # at last any group, until val is full
            if len(chosen) >= total or (category is not None and wanted[category] <= 0):
                break
            if groups[name][0] not in chosen and (category is None or category in holds[name]):
                chosen.update(groups[name])
                for held in holds[name]:
                    wanted[held] -= 1
    return chosen


def _part(document: JsonObject, belongs: Callable[[JsonObject], bool]) -> JsonObject:
    images = [image for image in document["images"] if belongs(image)]
    ids = {image["id"] for image in images}
    kept = [a for a in document["annotations"] if a["image_id"] in ids]
    return {**document, "images": images, "annotations": kept}
