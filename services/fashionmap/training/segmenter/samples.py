"""Training samples: photos of COCO data sets, as augmented canvases with their targets."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from fashionmap.domain.taxonomy import PERSON, Taxonomy
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.coco_form import decode_segmentation, read_coco
from fashionmap.training.segmenter.augment import Augmentation

IGNORED, LEAST_LEFT = 255, 0.5
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""Endings of training photos in a folder."""


@dataclass(frozen=True)
class Labelled:
    """One photo with its annotations (category ids of the taxonomy)."""

    path: Path
    height: int
    width: int
    annotations: tuple[dict[str, Any], ...]


def load_labelled(annotations: Path, images: Path, taxonomy: Taxonomy) -> list[Labelled]:
    """Photos of a COCO file; categories are matched to the taxonomy by name."""
    document = read_coco(annotations)
    names = {c["id"]: c["name"] for c in document["categories"]}
    by_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in document["annotations"]:
        name = names.get(annotation["category_id"])
        if name not in taxonomy.categories:
            raise DatasetRejected(
                f"{annotations} has a category {name!r} that is not in the taxonomy."
            )
        by_image[annotation["image_id"]].append({**annotation, "label": taxonomy.id_of(name)})
    return [
        Labelled(images / i["file_name"], i["height"], i["width"], tuple(by_image[i["id"]]))
        for i in document["images"]
    ]


def load_training(folder: Path, taxonomy: Taxonomy) -> list[Labelled]:
    """Photos of a data set's training split, all of them where it is not split."""
    split = folder / "train.json"
    source = split if split.exists() else folder / "annotations.json"
    return load_labelled(source, folder / "images", taxonomy)


class GarmentSamples(Dataset[tuple[Tensor, dict[str, Tensor]]]):
    """An epoch of samples: rare categories come more often, each time augmented anew.

    Repeat factors as LVIS does (Gupta et al. 2019, arXiv 1908.03195): max(1, √(t / f)).
    """

    def __init__(
        self,
        photos: list[Labelled],
        taxonomy: Taxonomy,
        augmentation: Augmentation,
        *,
        seed: int,
        repeat_below: float = 0.25,
    ) -> None:
        self.photos, self.taxonomy, self.augmentation, self.seed = (
            photos,
            taxonomy,
            augmentation,
            seed,
        )
        self.canvas = (480, 320)
        self.frequency = _frequency(photos)
        self.factors = [_factor(p, self.frequency, repeat_below) for p in photos]
        rare = {c for c, f in self.frequency.items() if f < 0.2}
        names = taxonomy.categories
        self.person = names.index(PERSON) + 1 if PERSON in names else 0
        self.rare = [(p, a) for p in photos for a in p.annotations if a["label"] in rare]
        self.order: list[int] = []
        self.epoch = 0

    def start_epoch(self, epoch: int, canvas: tuple[int, int]) -> None:
        """Draws the epoch's order and repeats; the same for equal seeds."""
        random = np.random.default_rng((self.seed, epoch))
        times = [int(f) + int(random.random() < f - int(f)) for f in self.factors]
        order = np.repeat(np.arange(len(self.photos)), times)
        random.shuffle(order)
        self.order, self.epoch, self.canvas = order.tolist(), epoch, canvas

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Image float32 (3, h, w) in [0, 1] and its targets."""
        random = np.random.default_rng((self.seed, self.epoch, index))
        if random.random() < self.augmentation.bare:
            return to_tensors(self.augmentation.nothing(self.canvas, random), [], [])
        photo = self.photos[self.order[index]]
        image, masks, labels = self._read(photo)
        size = self.augmentation.size(random)
        warp = self.augmentation.warp(image.shape[:2], self.canvas, random, size=size)
        scene = _Scene(warp.image(image), [warp.mask(m) for m in masks], labels)
        if size < 1:
            outside = warp.mask(np.ones(image.shape[:2], np.uint8)) == 0
            scene.image[outside] = self.augmentation.around(image, self.canvas, random)[outside]
        for _ in range(self._company(size, random)):
            self._paste_look(scene, random, size)
        if self.rare and random.random() < self.augmentation.paste:
            self._paste_rare(scene, random)
        canvas = self.augmentation.colour(scene.image, random)
        if random.random() < self.augmentation.erase:
            hole = self.augmentation.hole(self.canvas, random)
            cover(hole, scene.masks, labels)
            canvas[hole > 0] = random.integers(256, size=3)
        return to_tensors(canvas, scene.masks, labels)

    def _read(
        self, photo: Labelled
    ) -> tuple[NDArray[np.uint8], list[NDArray[np.uint8]], list[int]]:
        image = read_rgb(photo.path)
        size = {"height": photo.height, "width": photo.width}
        masks = [decode_segmentation(a["segmentation"], **size) for a in photo.annotations]
        return (
            image,
            masks,
            [IGNORED if a.get("iscrowd") else a["label"] for a in photo.annotations],
        )

    def _company(self, size: float, random: np.random.Generator) -> int:
        """How many looks are pasted: people far away come in groups."""
        if size < self.augmentation.far[1]:
            return int(random.integers(4))
        return int(random.random() < self.augmentation.company)

    def _paste_rare(self, scene: "_Scene", random: np.random.Generator) -> None:
        """Copy-paste (Ghiasi et al. 2021, arXiv 2012.07177) of one rare garment near its place."""
        photo, annotation = self.rare[random.integers(len(self.rare))]
        if annotation["label"] in scene.labels or annotation.get("iscrowd"):
            return
        source = read_rgb(photo.path)
        mask = decode_segmentation(
            annotation["segmentation"], height=photo.height, width=photo.width
        )
        size = self.augmentation.size(random)
        warp = self.augmentation.warp(source.shape[:2], self.canvas, random, size=size)
        mask = warp.mask(mask)
        for other, label in zip(scene.masks, scene.labels, strict=True):
            other[mask > 0] = label == self.person
        scene.lay(mask, warp.image(source), [mask], [annotation["label"]])

    def _paste_look(self, scene: "_Scene", random: np.random.Generator, size: float) -> None:
        """A clothed person with all it wears, from another photo, before what is there; about as
        large as the others."""
        image, masks, labels = self._read(self.photos[random.integers(len(self.photos))])
        if self.person not in labels:
            return
        own = size * float(np.exp(random.uniform(-0.25, 0.25)))
        warp = self.augmentation.warp(image.shape[:2], self.canvas, random, size=own)
        masks = [warp.mask(m) for m in masks]
        whole = np.bitwise_or.reduce(masks)
        cover(whole, scene.masks, scene.labels)
        scene.lay(whole, warp.image(image), masks, labels)


@dataclass
class _Scene:
    """A canvas in the making: uint8 (h, w, 3), masks uint8 (h, w) in {0, 1}, a label each."""

    image: NDArray[np.uint8]
    masks: list[NDArray[np.uint8]]
    labels: list[int]

    def lay(
        self,
        area: NDArray[np.uint8],
        picture: NDArray[np.uint8],
        masks: list[NDArray[np.uint8]],
        labels: list[int],
    ) -> None:
        """Puts a picture over an area, and what it shows there beside what is there."""
        self.image = np.where(area[..., None] > 0, picture, self.image)
        self.masks.extend(masks)
        self.labels.extend(labels)


def cover(area: NDArray[np.uint8], masks: list[NDArray[np.uint8]], labels: list[int]) -> None:
    """Takes an area from masks, in place; what keeps less than half of itself is ignored."""
    for place, mask in enumerate(masks):
        before = int(mask.sum())
        mask[area > 0] = 0
        if mask.sum() < before * LEAST_LEFT:
            labels[place] = IGNORED


def to_tensors(
    image: NDArray[np.uint8], masks: list[NDArray[np.uint8]], labels: list[int]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Model input and targets of a canvas; masks of under 12 pixels are dropped."""
    kept = [(m, c) for m, c in zip(masks, labels, strict=True) if c != IGNORED and m.sum() >= 12]
    height, width = image.shape[:2]
    stack = np.stack([m for m, _ in kept]) if kept else np.zeros((0, height, width), np.uint8)
    boxes = np.array([_box(m) for m, _ in kept], dtype=np.float32).reshape(-1, 4)
    target = {
        "boxes": torch.from_numpy(boxes),
        "labels": torch.tensor([c for _, c in kept], dtype=torch.int64),
        "masks": torch.from_numpy(stack),
        "semantic": torch.from_numpy(_semantic(masks, labels, (height, width))),
    }
    tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float().div_(255)
    return tensor, target


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A training photo as uint8 RGB (height, width, 3); annotations refer to unrotated pixels."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise DatasetRejected(f"{path} is missing or no picture.")
    rgb: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
    return rgb


def _semantic(
    masks: list[NDArray[np.uint8]], labels: list[int], size: tuple[int, int]
) -> NDArray[np.int64]:
    """Large masks first, so that a belt lies over the dress, and garments over the person."""
    painted = np.zeros(size, dtype=np.int64)
    pairs = sorted(zip(masks, labels, strict=True), key=lambda pair: -int(pair[0].sum()))
    for mask, label in pairs:
        painted[mask > 0] = label
    for mask, label in pairs:
        if label == IGNORED:
            painted[mask > 0] = IGNORED
    return painted


def _box(mask: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    x, y, w, h = cv2.boundingRect(mask)
    return float(x), float(y), float(x + w), float(y + h)


def _frequency(photos: list[Labelled]) -> dict[int, float]:
    """Share of photos that show each category."""
    seen: dict[int, int] = defaultdict(int)
    for photo in photos:
        for label in {a["label"] for a in photo.annotations if not a.get("iscrowd")}:
            seen[label] += 1
    return {label: n / max(len(photos), 1) for label, n in seen.items()}


def _factor(photo: Labelled, frequency: dict[int, float], below: float) -> float:
    labels = {a["label"] for a in photo.annotations if not a.get("iscrowd")}
    return max([1.0, *(float(np.sqrt(below / frequency[label])) for label in labels)])
