"""The naming network learns what a segmenter's garments are called."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fashionmap.adapters.folded import fold_mobilenet
from fashionmap.adapters.weights import Weights, load_fitting, write_weights
from fashionmap.errors import DatasetRejected, UsageError
from fashionmap.segmentation.model import MaskRCNNSegmenter
from fashionmap.segmentation.names import (
    PREFIX,
    SIDE,
    NamingNetwork,
    by_itself,
    pictures_of,
    split_names,
)
from fashionmap.training.names.candidates import NOTHING, Candidate, candidates_of
from fashionmap.training.segmenter.augment import Augmentation
from fashionmap.training.segmenter.samples import Labelled, read_rgb

Seen = tuple[Labelled, list[Candidate]]
"""A photo and what is on it."""
ROOM = 1.5
"""Size of the square that a training view is taken from, in that of the view."""


@dataclass(frozen=True)
class NamingPlan:
    """How the naming network learns.

    Attributes:
        epochs: Passes over the photos.
        photos: Photos an update, with all that is on them.
        lr: Peak learning rate of the convolutions; the last layer takes five times it.
        side: Pixels of a training view; answers are given at ``names.SIDE``.
        free_from: First block that learns; those before stay as they were.
        smooth: Share of the label that is spread over all (arXiv 1512.00567).
        drop: Dropout before the last layer.
        rare: Share of all candidates below which a label counts more: by √(rare / share).
        mistaken: Weight of what the segmenter names wrongly.
        decay: Decay of the moving average that is kept.
        augmentation: Of colours.
        seed: Of everything random.
    """

    epochs: int = 10
    photos: int = 3
    lr: float = 4e-4
    side: int = 112
    free_from: int = 4
    smooth: float = 0.05
    drop: float = 0.3
    rare: float = 0.05
    mistaken: float = 1.5
    decay: float = 0.995
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0


def train_names(
    plan: NamingPlan,
    *,
    train: Sequence[Labelled],
    val: Sequence[Labelled],
    segmenter: MaskRCNNSegmenter,
    weights: Weights,
    init: Weights,
    out: Path,
    version: str,
    device: str = "cpu",
    say: Callable[[str], None] = print,
) -> str:
    """Trains a naming network for a segmenter and writes both into one file.

    Args:
        plan: How.
        train: Photos to learn from.
        val: Photos by which to tell how it goes; may be none.
        segmenter: What finds the garments, with a low threshold.
        weights: Its weights.
        init: MobileNetV2 of torchvision's names, or weights of the embedder.
        out: File to write.
        version: To stamp it with.
        device: Where to compute.
        say: Is told how it goes.

    Returns:
        The file's SHA-256.

    Raises:
        DatasetRejected: There is nothing to learn from.
        UsageError: The ``init`` fits nothing.
    """
    torch.manual_seed(plan.seed)
    seen, asked = _seen(train, segmenter, say), _seen(val, segmenter, say)
    if not any(candidates for _, candidates in seen):
        raise DatasetRejected("There are no garments to learn names from.")
    network = initial_network(init, len(segmenter.labels))
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for block in network.blocks[: plan.free_from]:
        block.requires_grad_(False)
    learner = _Learner(network, plan, seen)
    for epoch in range(plan.epochs):
        loss = learner.epoch(epoch)
        told = f"epoch {epoch + 1} of {plan.epochs}: loss {loss:.3f}"
        say(told + (f"; {_told(learner.average, asked)}" if asked else ""))
    own, _ = split_names(weights.tensors)
    names = {PREFIX + name: value for name, value in learner.average.state_dict().items()}
    return write_weights(out, {**own, **names}, {**weights.metadata, "version": version})


def initial_network(weights: Weights, labels: int) -> NamingNetwork:
    """A network with convolutions of MobileNetV2 or of the embedder, and an empty last layer.

    Raises:
        UsageError: The weights are of something else.
    """
    tensors = weights.tensors
    if "classifier.1.bias" in tensors:
        tensors = fold_mobilenet(tensors)
    network = NamingNetwork(labels)
    nn.init.normal_(network.name.weight, std=0.01)
    nn.init.zeros_(network.name.bias)
    if not load_fitting(network, tensors):
        raise UsageError(f"{weights.path} has nothing that fits a naming network.")
    return network


def view_of(
    square: NDArray[np.uint8], plan: NamingPlan, random: np.random.Generator
) -> NDArray[np.uint8]:
    """A view of a larger square, uint8 RGBA (side, side, 4): turned, shifted, mirrored, in other
    colours, partly covered."""
    side, colours = plan.side, plan.augmentation
    scale = side / len(square) * float(np.exp(random.uniform(-0.12, 0.15)))
    turn = np.deg2rad(random.uniform(-10, 10))
    cosine, sine = np.cos(turn) * scale, np.sin(turn) * scale
    way = 1 if random.random() < 0.5 else -1
    linear = np.array([[cosine * way, -sine], [sine * way, cosine]])
    centre = side / 2 + random.uniform(-0.06, 0.06, size=2) * side
    shift = centre - linear @ np.full(2, len(square) / 2)
    matrix = np.column_stack([linear, shift])
    grey = (127, 127, 127, 0)
    view = cv2.warpAffine(square, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=grey)
    pixels = colours.colour(np.ascontiguousarray(view[..., :3]), random)
    if random.random() < colours.erase:
        pixels[colours.hole((side, side), random) > 0] = random.integers(256, size=3)
    return np.dstack([pixels, view[..., 3]])


def as_found(grid: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A true mask, mostly as coarse as a found one."""
    if random.random() < 0.2:
        return grid
    cells = int(random.integers(14, 28))
    coarse = cv2.resize(grid, (cells, cells), interpolation=cv2.INTER_AREA)
    again = cv2.resize(coarse, grid.shape[::-1])
    return np.where(again > random.uniform(90, 165), again, 0).astype(np.uint8)


class _Learner:
    """A network, its optimizer, and the moving average of its weights."""

    def __init__(self, network: NamingNetwork, plan: NamingPlan, seen: Sequence[Seen]) -> None:
        self._network, self._plan = network, plan
        self._seen = [pair for pair in seen if pair[1]]
        self._steps = plan.epochs * math.ceil(len(self._seen) / plan.photos)
        self._done = 0
        body = [p for p in network.blocks.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": body, "scale": 1.0},
                {"params": list(network.name.parameters()), "scale": 5.0},
            ],
            lr=plan.lr,
            weight_decay=0.02,
        )
        self._weights = self._label_weights(network.name.out_features)
        self.average = NamingNetwork(network.name.out_features - 1)
        self.average.load_state_dict(network.state_dict())
        self.average.to(next(network.parameters()).device).eval()

    def epoch(self, number: int) -> float:
        """One pass; the mean loss."""
        random = np.random.default_rng((self._plan.seed, number))
        order = random.permutation(len(self._seen))
        losses = []
        for first in range(0, len(order), self._plan.photos):
            chosen = [self._seen[i] for i in order[first : first + self._plan.photos]]
            losses.append(self._update(chosen, random))
        return float(np.mean(losses))

    def _update(self, chosen: Sequence[Seen], random: np.random.Generator) -> float:
        squares, labels, weights = [], [], []
        for photo, candidates in chosen:
            pixels = read_rgb(photo.path)
            for candidate in candidates:
                grid = candidate.grid if candidate.guess else as_found(candidate.grid, random)
                square = _square(pixels, candidate, grid, round(self._plan.side * ROOM))
                squares.append(view_of(square, self._plan, random))
                labels.append(candidate.label)
                wrong = bool(candidate.guess) and candidate.guess != candidate.label
                weights.append(self._plan.mistaken if wrong else 1.0)
        return self._learn(np.stack(squares), torch.tensor(labels), torch.tensor(weights))

    def _learn(self, squares: NDArray[np.uint8], labels: Tensor, weights: Tensor) -> float:
        device = next(self._network.parameters()).device
        pictures = pictures_of(squares).to(device).contiguous(memory_format=torch.channels_last)
        self._network.train()
        with torch.autocast(device.type, torch.bfloat16):
            features = self._network.features(pictures)
        kept = functional.dropout(features, self._plan.drop)
        each = functional.cross_entropy(
            self._network.name(kept),
            labels.to(device),
            label_smoothing=self._plan.smooth,
            reduction="none",
        )
        share = (weights * self._weights[labels]).to(device)
        loss: Tensor = (each * share).sum() / share.sum()
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate() * group["scale"]
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._done += 1
        decay = min(self._plan.decay, self._done / (10 + self._done))
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self._network.parameters(), strict=True)
            for mean, parameter in pairs:
                mean.lerp_(parameter, 1 - decay)
        return float(loss.detach())

    def _rate(self) -> float:
        """Cosine after a warm-up of 100 updates."""
        warm = min(1.0, (self._done + 1) / 100)
        return self._plan.lr * warm * 0.5 * (1 + math.cos(math.pi * self._done / self._steps))

    def _label_weights(self, labels: int) -> Tensor:
        every = [c.label for _, candidates in self._seen for c in candidates]
        share = np.bincount(every, minlength=labels) / len(every)
        return torch.from_numpy(np.sqrt(np.maximum(1, self._plan.rare / np.maximum(share, 1e-9))))


def _seen(
    photos: Sequence[Labelled], segmenter: MaskRCNNSegmenter, say: Callable[[str], None]
) -> list[Seen]:
    seen: list[Seen] = []
    for number, photo in enumerate(photos, 1):
        seen.append((photo, candidates_of(photo, segmenter)))
        if number % 500 == 0 or number == len(photos):
            count = sum(len(candidates) for _, candidates in seen)
            say(f"{number:,} of {len(photos):,} photos: {count:,} garments and what looked so")
    return seen


def _square(
    pixels: NDArray[np.uint8], candidate: Candidate, grid: NDArray[np.uint8], side: int
) -> NDArray[np.uint8]:
    return by_itself(pixels, candidate.box, grid.astype(np.float32) / np.float32(255), side=side)


def _told(network: NamingNetwork, seen: Sequence[Seen]) -> str:
    """How often the segmenter's garments have the right name: by it, and by the network alone."""
    right = {"segmenter": 0, "network": 0}
    nothing, count, nothings = 0, 0, 0
    place = next(network.parameters()).device
    for photo, candidates in seen:
        found = [c for c in candidates if c.guess]
        if not found:
            continue
        pixels = read_rgb(photo.path)
        squares = np.stack([_square(pixels, c, c.grid, SIDE) for c in found])
        with torch.inference_mode():
            logits = network(pictures_of(squares).to(place)).cpu()
        for candidate, row in zip(found, logits, strict=True):
            if candidate.label == NOTHING:
                nothings += 1
                nothing += int(row.argmax()) == NOTHING
                continue
            count += 1
            right["segmenter"] += candidate.guess == candidate.label
            right["network"] += int(row[1:].argmax()) + 1 == candidate.label
    shares = ", ".join(f"{right[k] / max(count, 1):.3f} by the {k}" for k in right)
    return f"names right on val: {shares}; nothing known as such: {nothing / max(nothings, 1):.3f}"
