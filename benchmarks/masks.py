"""Mask output: ours against torchvision's paste_masks_in_image and pycocotools' encode."""

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torchvision.models.detection.roi_heads import paste_masks_in_image

from benchmarks.clock import extra_memory, steady_seconds, work_seconds
from fashionmap.adapters.threads import use_threads
from fashionmap.segmentation.paste import masks_from_grids

MASKS, SIDE = 20, 28


def run() -> None:
    """Prints ratios at two sizes."""
    use_threads(0)  # torchvision's default: all cores
    for width, height in ((1200, 800), (4000, 3000)):
        _compare(width, height)


def _compare(width: int, height: int) -> None:
    random = np.random.default_rng(0)
    grids = np.stack([_body(random) for _ in range(MASKS)])
    size = random.uniform(0.15, 0.5, (MASKS, 2)) * (width, height)
    start = random.uniform(0, 1, (MASKS, 2)) * ((width, height) - size)
    boxes = np.concatenate([start, start + size], axis=1).astype(np.float32)

    def ours() -> list[dict[str, object]]:
        found = masks_from_grids(grids, boxes, height=height, width=width)
        return [{"size": [height, width], "counts": m.counts.encode()} for m, _, _ in found]

    def theirs() -> list[dict[str, object]]:
        pasted = paste_masks_in_image(
            torch.from_numpy(grids)[:, None], torch.from_numpy(boxes), (height, width), padding=1
        )
        return [
            coco_mask.encode(np.asfortranarray((p[0] >= 0.5).numpy().astype(np.uint8)))
            for p in pasted
        ]

    def pasting_alone() -> object:
        return paste_masks_in_image(
            torch.from_numpy(grids)[:, None], torch.from_numpy(boxes), (height, width), padding=1
        )

    fast, one = steady_seconds(ours)
    slow, two = steady_seconds(theirs)
    paste, _ = steady_seconds(pasting_alone)
    work, more_work = (min(work_seconds(act)[1] for _ in range(3)) for act in (ours, pasting_alone))
    iou = min(float(coco_mask.iou([a], [b], [0])[0, 0]) for a, b in zip(one, two, strict=True))
    print(
        f"  {width}×{height}, {MASKS} masks: ours {1000 * fast:.1f} ms to RLE; "
        f"paste_masks_in_image {1000 * paste:.0f} ms ({paste / fast:.0f} times, "
        f"{more_work / work:.0f} by processor time), "
        f"with encoding {1000 * slow:.0f} ms ({slow / fast:.0f} times); least IoU {iou:.4f}; "
        f"extra memory {extra_memory(ours):.0f} MB against {extra_memory(theirs):.0f} MB"
    )


def _body(random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1) * 2 - 1
    wobble = 0.2 * np.sin(3 * np.arctan2(y, x) + random.uniform(0, 6))
    grid: np.ndarray = 1 / (1 + np.exp(12 * (np.hypot(x, y) - 0.7 - wobble)))
    return grid.astype(np.float32)
