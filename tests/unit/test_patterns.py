"""Words for patterns: drawn cloth, flat and on a body with folds, shade, a placket and buttons."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fashionmap.projection.patterns import pattern_of
from fashionmap.sample.fabric import draw_fabric

HEIGHT, WIDTH = 190, 150
SEEDS = range(12)
Picture = NDArray[np.float32]


def cloth(fabric: str, seed: int) -> Picture:
    return draw_fabric(np.random.default_rng(seed), (fabric,)).render(HEIGHT, WIDTH)


def worn(flat: Picture, seed: int) -> NDArray[np.uint8]:
    """The cloth as a jacket in the sun: round shade, folds soft and sharp, placket, noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = 0.55 + 0.45 * np.sin(np.pi * (x + 20) / (WIDTH + 40))
    for _ in range(9):
        angle, wide = random.normal(0, 0.5), random.uniform(2, 9)
        across = (x - random.uniform(0, WIDTH)) * np.cos(angle) + (y - 95) * np.sin(angle)
        along = np.exp(-np.square((y - random.uniform(20, 170)) / 45))
        light -= random.uniform(0.1, 0.3) * along * np.exp(-np.square(across / wide))
    light[:, 73:75] *= 0.4
    for middle in range(25, 180, 30):
        light[np.hypot(x - 80, y - middle) < 4] *= 0.3
    light[np.abs(y - 18) + np.abs(x - 75) * 0.4 < 14] *= 0.5
    return shown(flat * np.clip(light, 0.05, 1)[..., None] + random.normal(0, 2, (*x.shape, 1)))


def shown(pixels: Picture) -> NDArray[np.uint8]:
    """A garment of this cloth: round, nothing beside it."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]  # type: ignore[misc]
    alpha = np.where(np.hypot(x, y * 0.8) < 1.02, 255, 0)
    return np.dstack([np.clip(pixels, 0, 255), alpha]).astype(np.uint8)


@pytest.mark.parametrize("fabric", ["plain", "denim", "tweed", "knit"])
def test_given_plain_cloth_when_named_then_neither_weave_nor_folds_are_a_pattern(
    fabric: str,
) -> None:
    flat = [pattern_of(shown(cloth(fabric, seed))) for seed in SEEDS]
    on_a_body = [pattern_of(worn(cloth(fabric, seed), seed)) for seed in SEEDS]
    assert set(flat) == {""}
    assert set(on_a_body) == {""}


@pytest.mark.parametrize(
    ("fabric", "word"),
    [
        ("stripes", "striped"),
        ("checks", "checked"),
        ("dots", "patterned"),
        ("flowers", "patterned"),
        ("leopard", "patterned"),
    ],
)
def test_given_a_pattern_when_named_then_it_has_its_word_or_none(fabric: str, word: str) -> None:
    flat = [pattern_of(shown(cloth(fabric, seed))) for seed in SEEDS]
    on_a_body = [pattern_of(worn(cloth(fabric, seed), seed)) for seed in SEEDS]
    assert flat.count(word) >= 6
    assert on_a_body.count(word) >= 6
    assert set(flat + on_a_body) <= {word, ""}


def test_given_a_tiny_or_empty_cutout_when_named_then_no_word() -> None:
    stripes = np.clip(cloth("stripes", 0), 0, 255)
    assert pattern_of(np.dstack([stripes, np.zeros((HEIGHT, WIDTH))]).astype(np.uint8)) == ""
    assert pattern_of(np.zeros((3, 2, 4), np.uint8)) == ""
    assert pattern_of(np.zeros((192, 1, 4), np.uint8)) == ""
