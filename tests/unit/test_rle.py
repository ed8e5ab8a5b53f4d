"""COCO run lengths that are read without a picture of the whole photo, against pycocotools."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from fashionmap.domain.garment import Mask
from fashionmap.domain.rle import run_lengths
from fashionmap.embedding.cutout import cover_inside, decode_mask

HEIGHT, WIDTH = 40, 60
TIGHT = (7, 5, 31, 29)


def encoded(mask: NDArray[np.uint8]) -> Mask:
    rle = coco_mask.encode(np.asfortranarray(mask))
    return Mask(*mask.shape, rle["counts"].decode())


def worn(share: float) -> NDArray[np.uint8]:
    """A mask that fills TIGHT to a share, and touches each of its sides."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    left, top, right, bottom = TIGHT
    part = mask[top:bottom, left:right]
    part[:] = np.random.default_rng(3).random(part.shape) < share
    part[0], part[-1], part[:, 0], part[:, -1] = 1, 1, 1, 1
    return mask


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_given_counts_when_read_then_the_runs_paint_the_mask(share: float) -> None:
    mask = worn(share)
    runs = run_lengths(encoded(mask).counts)
    painted = np.repeat(np.arange(len(runs)) % 2, runs).reshape(WIDTH, HEIGHT).T
    assert (painted == mask).all()


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
@pytest.mark.parametrize(
    "box", [TIGHT, (0, 0, WIDTH, HEIGHT), (6, 0, 40, HEIGHT), (12, 9, 20, 22), (40, 30, 60, 40)]
)
def test_given_a_box_when_cut_then_the_cover_is_the_mask_there(
    share: float, box: tuple[int, int, int, int]
) -> None:
    mask = encoded(worn(share))
    left, top, right, bottom = box
    cover = cover_inside(mask, box)
    assert cover.dtype == np.uint8
    assert (cover == decode_mask(mask)[top:bottom, left:right] * 255).all()


@pytest.mark.parametrize("value", [0, 1])
def test_given_a_mask_of_nothing_or_all_when_cut_then_so_is_the_cover(value: int) -> None:
    mask = encoded(np.full((HEIGHT, WIDTH), value, np.uint8))
    assert (cover_inside(mask, (0, 0, WIDTH, HEIGHT)) == 255 * value).all()
    assert (cover_inside(mask, TIGHT) == 255 * value).all()
