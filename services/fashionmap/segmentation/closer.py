"""A second, closer look at people who are small on a photo: training showed them large.

Raw output of a network is a dict of arrays by detection: ``boxes`` float32 (n, 4) as x1, y1, x2, y2
in pixels of the photo, ``labels`` (n,), ``scores`` (n,), ``masks`` (n, 1, m, m).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import batched_nms

Raw = dict[str, NDArray[np.float32]]
Frame = tuple[int, int, int, int]
"""Left, top, right and bottom in whole pixels."""

SURE = 0.5
"""Least score of a person who is looked at again."""
SMALL = 500.0
"""Pixels of the network's photo that the largest person's longer side must have not to be: on 99 of
100 photos of training it has 543 or more."""
LEAST_PIXELS, LEAST_SHARE = 96, 0.33
"""Pixels of a person below which no look helps, and the share of the largest person's side below
which people are in the background."""
MOST_PEOPLE = 6
FILLED, ASPECT = 0.85, 2 / 3
"""Share of a frame's height that its person fills, and the frame's least width by its height."""
SAME = 0.5
"""Intersection over union of boxes of a category beyond which two looks found one garment."""


def frames_of(raw: Raw, person: int, *, shape: tuple[int, int], scale: float) -> list[Frame]:
    """Where to look again, the largest person first.

    Args:
        raw: What the first look found.
        person: Label of the person.
        shape: ``(height, width)`` of the photo.
        scale: Pixels of the network's photo for one of this.
    """
    boxes = raw["boxes"][(raw["labels"] == person) & (raw["scores"] >= SURE)]
    sides = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    least = max(LEAST_PIXELS, LEAST_SHARE * sides.max(initial=0.0))
    order = [i for i in np.argsort(-sides) if sides[i] >= least]
    if not order or sides[order[0]] * scale >= SMALL:
        return []
    return [_frame(boxes[i], shape) for i in order[:MOST_PEOPLE]]


def _frame(box: NDArray[np.float32], shape: tuple[int, int]) -> Frame:
    """The part of a photo that shows a person as a photo of training would, inside the photo."""
    x1, y1, x2, y2 = (float(v) for v in box)
    high = min((y2 - y1) / FILLED, shape[0])
    wide = min(max((x2 - x1) / FILLED, high * ASPECT), shape[1])
    left = min(max((x1 + x2 - wide) / 2, 0), shape[1] - wide)
    top = min(max((y1 + y2 - high) / 2, 0), shape[0] - high)
    return int(left), int(top), int(np.ceil(left + wide)), int(np.ceil(top + high))


def joined(first: Raw, closer: Sequence[Raw], frames: Sequence[Frame], *, person: int) -> Raw:
    """The people of the first look, what it found outside all frames, and the garments inside."""
    boxes = first["boxes"]
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    inside = np.zeros(len(boxes), bool)
    for left, top, right, bottom in frames:
        inside |= (x >= left) & (x < right) & (y >= top) & (y < bottom)
    parts = [_taken(first, (first["labels"] == person) | ~inside)]
    for raw, (left, top, _, _) in zip(closer, frames, strict=True):
        moved = {**raw, "boxes": raw["boxes"] + np.array([left, top] * 2, np.float32)}
        parts.append(_taken(moved, raw["labels"] != person))
    every = {name: np.concatenate([part[name] for part in parts]) for name in first}
    rows = [torch.from_numpy(every[name]) for name in ("boxes", "scores", "labels")]
    return _taken(every, batched_nms(*rows, SAME).numpy())


def _taken(raw: Raw, which: NDArray[np.bool_] | NDArray[np.int64]) -> Raw:
    return {name: values[which] for name, values in raw.items()}
