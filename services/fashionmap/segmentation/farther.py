"""A second look at close-ups, from farther away: training showed people at their whole length.

Raw output of a network is as in ``closer``.
"""

import numpy as np
from numpy.typing import NDArray

from fashionmap.segmentation.closer import SURE, Raw

SEEN = 0.3
"""Least score of a person by which a photo's scale is judged."""
LARGE, USUAL = 660.0, 640.0
"""Pixels of the network's photo beyond which a person is too tall, and what they are brought to."""
SLENDER = 2.8
"""Height by width of people who are seen at whole length."""
LONG = 2.2
"""Height by width from which a person is seen at whole length: on 95 of 100 photos of training it
is 2.5 or more, on halves of them 1.9 or less."""
LEAST, BLIND = 0.4, 0.5
"""Least share of the size at which a photo is looked at again, and the one where nobody is seen."""
EDGE = 0.05
"""Share of a photo's sides within which a person is cut off by them."""
CONTAINED, PART = 0.8, (0.1, 0.7)
"""Share of a box that lies in another one, and by how much it may be smaller, for the other to be
two people taken for one."""


def share_of(raw: Raw, person: int, *, shape: tuple[int, int], scale: float) -> float:
    """The share of its size at which a photo is to be looked at again; 1 where once is enough.

    Args:
        raw: What the first look found.
        person: Label of the person.
        shape: ``(height, width)`` of the photo.
        scale: Pixels of the network's photo for one of this.
    """
    seen = (raw["labels"] == person) & (raw["scores"] >= SEEN)
    if not seen.any():
        return BLIND
    boxes, scores = raw["boxes"][seen], raw["scores"][seen]
    wide, high = (boxes[:, 2:] - boxes[:, :2]).T * scale
    sizes = np.where(_crowds(boxes), 0.0, np.maximum(high, SLENDER * wide))
    surest = np.where(sizes >= sizes.max() / 2, scores, 0.0).argmax()
    x1, y1, x2, y2 = boxes[surest] / np.array([shape[1], shape[0]] * 2)
    cut = min(x1, y1) < EDGE or max(x2, y2) > 1 - EDGE
    if not cut or high[surest] >= LONG * wide[surest] or sizes[surest] <= LARGE:
        return 1.0
    return max(USUAL / float(sizes[surest]), LEAST)


def shows_people(raw: Raw, person: int) -> bool:
    """Whether somebody is surely seen."""
    return bool(((raw["labels"] == person) & (raw["scores"] >= SURE)).any())


def _crowds(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which boxes (n, 4) hold another person's, and so are several people taken for one: (n,)."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    smaller = (areas > PART[0] * areas[:, None]) & (areas < PART[1] * areas[:, None])
    crowds: NDArray[np.bool_] = ((shared > CONTAINED * areas) & smaller).any(axis=1)
    return crowds
