"""Names of groups on the poster, in free space near their group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

PAPER = (250, 248, 245)
INK = (74, 68, 62)
COARSE = 8
"""Pixels of the paper to one of the map of what is free."""
COVERED = 3.0
"""What it costs to lie on garments with the whole label, in radii of the group."""


@dataclass(frozen=True)
class Name:
    """What is written.

    Attributes:
        text: The words.
        x: Of the group's middle, in pixels of the paper.
        y: Of the group's middle.
        radius: Of the group, in pixels.
    """

    text: str
    x: float
    y: float
    radius: float


def names_of(
    groups: Sequence[Mapping[str, Any]],
    places: NDArray[np.float64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> list[Name]:
    """The groups' names, the largest group first, where their units lie after these moved apart.

    Args:
        groups: ``label`` and ``count``.
        places: float64 (groups, 2), their middles as ``before`` has them.
        before: float64 (n, 2), the units' places on the map.
        after: float64 (n, 2), pixels of the paper.
    """
    total = max(sum(int(group["count"]) for group in groups), 1)
    names = []
    for group, place in zip(groups, places, strict=True):
        most = max(round(0.7 * len(before) * group["count"] / total), 1)
        near = np.argsort(np.linalg.norm(before - place, axis=1), kind="stable")[:most]
        middle = np.median(after[near], axis=0)
        radius = float(np.linalg.norm(after[near] - middle, axis=1).max())
        x, y = (float(v) for v in middle)
        names.append((group["count"], Name(group["label"], x, y, radius)))
    return [name for _, name in sorted(names, key=lambda one: -one[0])]


def write_names(paper: Image.Image, names: Sequence[Name]) -> None:
    """Writes each name as near to its group's upper half as it can without covering much.

    Args:
        paper: RGB; what is not ``PAPER`` on it is taken.
        names: The more important ones first.
    """
    draw = ImageDraw.Draw(paper)
    font = ImageFont.load_default(size=max(paper.width // 75, 14))
    halo = max(paper.width // 400, 2)
    taken = (np.asarray(paper.reduce(COARSE)) != PAPER).any(axis=2)
    for name in names:
        left, top, right, bottom = draw.textbbox((0, 0), name.text, font, stroke_width=halo)
        size = (int(right - left) // COARSE + 1, int(bottom - top) // COARSE + 1)
        wanted = np.array([name.x, name.y - 0.6 * name.radius]) / COARSE
        place = free_place(taken, wanted, size, reach=name.radius / COARSE)
        if place is None:
            continue  # wider than the paper
        x, y = place
        taken[y : y + size[1], x : x + size[0]] = True
        corner = (x * COARSE - left, y * COARSE - top)
        draw.text(corner, name.text, INK, font, stroke_width=halo, stroke_fill=PAPER)


def free_place(
    taken: NDArray[np.bool_], wanted: NDArray[np.float64], size: tuple[int, int], *, reach: float
) -> tuple[int, int] | None:
    """Left and top of the box of this size that lies best: near, and on little that is taken.

    Args:
        taken: bool (height, width).
        wanted: float64 (2,), x and y of the box's middle, as far as there is room.
        size: Width and height of the box.
        reach: How far off counts as much as ``1 / COVERED`` of the box on what is taken.
    """
    wide, high = size
    if wide > taken.shape[1] or high > taken.shape[0]:
        return None
    sums = cv2.integral(taken.astype(np.uint8))
    inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    y, x = np.ogrid[: inside.shape[0], : inside.shape[1]]
    far = np.hypot(x + wide / 2 - wanted[0], y + high / 2 - wanted[1])
    best = int(np.argmin(far / max(reach, 2.0 * high) + COVERED * inside / (wide * high)))
    return best % inside.shape[1], best // inside.shape[1]
