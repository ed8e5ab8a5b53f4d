"""Masks from grids: against torchvision's own pasting, and the run lengths against pycocotools."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from torchvision.models.detection.roi_heads import paste_masks_in_image

from fashionmap.segmentation.paste import encode_crop, mask_from_grid


def blob(random: np.random.Generator, side: int) -> np.ndarray:
    """A smooth grid of probabilities with a body in the middle."""
    y, x = np.mgrid[0:side, 0:side] / (side - 1) * 2 - 1
    wobble = 0.2 * np.sin(3 * np.arctan2(y, x) + random.uniform(0, 6))
    return (1 / (1 + np.exp(12 * (np.hypot(x, y) - 0.7 - wobble)))).astype(np.float32)


def decode(mask) -> np.ndarray:
    return coco_mask.decode({"size": [mask.height, mask.width], "counts": mask.counts.encode()})


@pytest.mark.parametrize("side", [28, 56])
def test_given_grids_when_pasted_then_they_cover_what_torchvision_covers(side: int) -> None:
    random = np.random.default_rng(side)
    height, width = 600, 400
    for _ in range(20):
        x1, y1 = random.uniform(-20, 200), random.uniform(-20, 300)
        box = (x1, y1, x1 + random.uniform(60, 200), y1 + random.uniform(60, 300))
        grid = blob(random, side)
        theirs = paste_masks_in_image(
            torch.from_numpy(grid)[None, None], torch.tensor([box]), (height, width), padding=1
        )[0, 0].numpy()
        mask, area, _ = mask_from_grid(grid, box, height=height, width=width)
        ours, theirs = decode(mask).astype(bool), theirs >= 0.5
        union = (ours | theirs).sum()
        assert (ours & theirs).sum() / union >= 0.995
        assert area == ours.sum()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_given_any_window_when_encoded_then_pycocotools_reads_the_same_mask(
    rows: int, columns: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    crop = random.random((rows, columns)) < random.random()
    top, left = random.integers(0, 4, 2)
    height, width = (
        int(rows + top + random.integers(0, 3)),
        int(columns + left + random.integers(0, 3)),
    )
    full = np.zeros((height, width), np.uint8)
    full[top : top + rows, left : left + columns] = crop
    mask, area, bbox = encode_crop(crop, left=int(left), top=int(top), height=height, width=width)
    expected = coco_mask.encode(np.asfortranarray(full))
    assert mask.counts == expected["counts"].decode()
    assert area == full.sum()
    assert bbox == tuple(coco_mask.toBbox(expected))


def test_given_a_box_outside_when_pasted_then_nothing_is_covered() -> None:
    grid = np.ones((28, 28), np.float32)
    mask, area, _ = mask_from_grid(grid, (500.0, 10.0, 600.0, 80.0), height=100, width=100)
    assert area == 0
    assert decode(mask).sum() == 0
