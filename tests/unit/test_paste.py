"""Masks from grids: against torchvision's own pasting, and the run lengths against pycocotools."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from torchvision.models.detection.roi_heads import paste_masks_in_image

from fashionmap.segmentation.paste import mask_from_grid, masks_from_grids
from fashionmap.segmentation.run_lengths import compress


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
def test_given_any_masks_when_compressed_then_pycocotools_writes_the_same(
    rows: int, columns: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    full = (random.random((3, rows, columns)) < random.random()).astype(np.uint8)
    expected = [coco_mask.encode(np.asfortranarray(one)) for one in full]
    every = []
    for one in full:
        flat = one.ravel(order="F")
        bounds = np.flatnonzero(np.diff(flat, prepend=np.uint8(0)) != 0)
        counts = np.diff(np.r_[0, bounds, flat.size])
        every.append(counts if counts[-1] or len(counts) == 1 else counts[:-1])
    lengths = np.array([len(counts) for counts in every])
    assert compress(np.concatenate(every), lengths) == [rle["counts"].decode() for rle in expected]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_given_any_boxes_when_pasted_then_text_area_and_box_are_pycocotools(seed: int) -> None:
    """Boxes over every edge, down to parts of a pixel; masks in one go and one by one."""
    random = np.random.default_rng(seed)
    height, width = (int(v) for v in random.integers(1, 90, 2))
    count = int(random.integers(1, 5))
    start = random.uniform(-40, 90, (count, 2))
    size = random.uniform(0.1, 80, (count, 2))
    boxes = np.concatenate([start, start + size], axis=1).astype(np.float32)
    grids = random.random((count, 14, 14)).astype(np.float32)
    found = masks_from_grids(grids, boxes, height=height, width=width)
    for grid, box, (mask, area, bbox) in zip(grids, boxes, found, strict=True):
        decoded = decode(mask)
        again = coco_mask.encode(np.asfortranarray(decoded))
        assert mask.counts == again["counts"].decode()
        assert area == decoded.sum()
        assert bbox == tuple(coco_mask.toBbox(again))
        alone = mask_from_grid(
            grid,
            tuple(float(v) for v in box),
            height=height,
            width=width,  # type: ignore[arg-type]
        )
        assert alone == (mask, area, bbox)
        if (box[:2] >= (width, height)).any() or (box[2:] <= 0).any():
            continue  # torchvision cannot paste what lies outside
        torch_mask = paste_masks_in_image(
            torch.from_numpy(grid)[None, None], torch.from_numpy(box)[None], (height, width)
        )[0, 0].numpy()
        clear = np.abs(torch_mask - 0.5) > 1e-4
        assert (decoded[clear] == (torch_mask >= 0.5)[clear]).all()


def test_given_very_large_run_lengths_when_compressed_then_they_read_back() -> None:
    counts = np.array([2**30, 1, 40_000_000, 7, 3, 2**29])
    text = compress(np.r_[counts, counts[:1]], np.array([len(counts), 1]))
    size = [int(counts.sum()), 1]
    rle = coco_mask.frPyObjects({"size": size, "counts": counts.tolist()}, *size)
    assert text[0] == rle["counts"].decode()


def test_given_a_box_outside_when_pasted_then_nothing_is_covered() -> None:
    grid = np.ones((28, 28), np.float32)
    mask, area, _ = mask_from_grid(grid, (500.0, 10.0, 600.0, 80.0), height=100, width=100)
    assert area == 0
    assert decode(mask).sum() == 0
