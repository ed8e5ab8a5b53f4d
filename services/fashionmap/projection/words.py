"""Names for colours and groups of garments, in plain words."""

from collections import Counter
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

COLOUR_NAMES = {
    "black": "#141414",
    "charcoal": "#3c3e42",
    "grey": "#85878a",
    "silver": "#b9bbbd",
    "white": "#f4f4f2",
    "cream": "#efe5cf",
    "beige": "#cdb898",
    "camel": "#b98d58",
    "brown": "#6a4530",
    "dark brown": "#3b2820",
    "red": "#b8232b",
    "burgundy": "#5e1b2a",
    "coral": "#e5755f",
    "orange": "#df7a26",
    "mustard": "#c99a2c",
    "yellow": "#ecd34c",
    "olive": "#6a673c",
    "green": "#3f8a4d",
    "dark green": "#26402f",
    "mint": "#a5d6bd",
    "teal": "#2a7d82",
    "light blue": "#a6c4de",
    "denim blue": "#5c7895",
    "blue": "#2e5aa8",
    "navy": "#1f2a44",
    "purple": "#6a4380",
    "lilac": "#b9a3cf",
    "pink": "#e7a3b4",
    "magenta": "#b93a7a",
}
"""Colours as people name clothes' colours; chosen by eye for this project."""

PLURALS = {
    "bag": "bags",
    "belt": "belts",
    "boots": "boots",
    "footwear": "footwear",
    "outer": "outerwear",
    "dress": "dresses",
    "sunglasses": "sunglasses",
    "pants": "pants",
    "top": "tops",
    "shorts": "shorts",
    "skirt": "skirts",
    "headwear": "headwear",
    "scarf&tie": "scarves & ties",
    "look": "looks",
    "trousers": "trousers",
}


def to_lab(colours: Sequence[str]) -> NDArray[np.float32]:
    """CIELAB float32 (n, 3) of ``#rrggbb`` colours; L in 0..100."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours], np.float32)
    if len(rgb) == 0:
        return np.zeros((0, 3), np.float32)
    lab: NDArray[np.float32] = cv2.cvtColor(rgb[None] / 255, cv2.COLOR_RGB2LAB)[0]
    return lab


def name_colours(colours: Sequence[str]) -> list[str]:
    """The nearest name of each ``#rrggbb`` by CIELAB distance."""
    names = list(COLOUR_NAMES)
    table = to_lab(list(COLOUR_NAMES.values()))
    distances = np.linalg.norm(to_lab(colours)[:, None] - table[None], axis=2)
    return [names[i] for i in distances.argmin(axis=1)]


def plural(category: str) -> str:
    """A category's name for many of it."""
    return PLURALS.get(category, category if category.endswith("s") else f"{category}s")


def label_of(
    categories: Sequence[str], colours: Sequence[str], patterns: Sequence[str] = ()
) -> str:
    """A group's label: ``"black pants"``, ``"navy striped tops"``, ``"tops & dresses"``.

    Args:
        categories: Category of each member.
        colours: Name of each member's first colour, or ``""``.
        patterns: Word for each member's pattern, ``""`` for plain cloth.
    """
    ranked = Counter(categories).most_common(2)
    if ranked[0][1] >= 0.55 * len(categories) or len(ranked) == 1:
        noun = plural(ranked[0][0])
    else:
        noun = " & ".join(plural(name) for name, _ in ranked)
    words = [_usual(colours, 0.34), _usual(patterns, 0.4), noun]
    return " ".join(word for word in words if word)


def _usual(words: Sequence[str], share: float) -> str:
    """The commonest word, where so many have it."""
    ranked = Counter(word for word in words if word).most_common(1)
    return ranked[0][0] if ranked and ranked[0][1] >= share * len(words) else ""
