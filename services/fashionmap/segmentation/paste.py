"""Mask grids inside boxes, straight to COCO's run lengths at the photo's size.

``torchvision.models.detection.roi_heads.paste_masks_in_image`` builds a float tensor of masks ×
height × width; here each mask is resized inside its own box, in bytes, and encoded there.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from fashionmap.domain.garment import Mask


def mask_from_grid(
    grid: NDArray[np.float32], box: tuple[float, float, float, float], *, height: int, width: int
) -> tuple[Mask, int, tuple[float, float, float, float]]:
    """One predicted mask as RLE.

    Args:
        grid: Probabilities float32 (m, m) in [0, 1] over the box, cells of equal size.
        box: ``(x1, y1, x2, y2)`` in pixels of the photo.
        height: Rows of the photo.
        width: Columns of the photo.

    Returns:
        The mask of all pixels with probability ≥ 0.5, its area in pixels, and its tight COCO box.
    """
    crop, left, top = paste_into_crop(grid, box, height=height, width=width)
    return encode_crop(crop, left=left, top=top, height=height, width=width)


def paste_into_crop(
    grid: NDArray[np.float32], box: tuple[float, float, float, float], *, height: int, width: int
) -> tuple[NDArray[np.bool_], int, int]:
    """The mask's pixels bool (h, w) in the smallest whole-pixel window, and its left and top."""
    cells = grid.shape[0]
    x0, x1 = _whole(box[0], box[2], cells)
    y0, y1 = _whole(box[1], box[3], cells)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if right <= left or bottom <= top:
        return np.zeros((0, 0), dtype=np.bool_), 0, 0
    padded = cv2.copyMakeBorder(
        np.rint(grid * 255).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0
    )
    scale_x, scale_y = (cells + 2) / (x1 - x0), (cells + 2) / (y1 - y0)
    # centre of pixel u of the window, in cells of the padded grid: (left - x0 + u + ½)·s - ½
    matrix = np.array(
        [
            [scale_x, 0.0, (left - x0 + 0.5) * scale_x - 0.5],
            [0.0, scale_y, (top - y0 + 0.5) * scale_y - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pasted = cv2.warpAffine(padded, matrix, (right - left, bottom - top), flags=flags)
    return pasted >= 128, left, top


def _whole(low: float, high: float, cells: int) -> tuple[int, int]:
    """The padded box in whole pixels, as torchvision's ``paste_mask_in_image`` rounds it."""
    middle, half = (low + high) / 2, (high - low) / 2 * (cells + 2) / cells
    start = int(middle - half)
    return start, max(int(middle + half) + 1, start + 1)


def encode_crop(
    crop: NDArray[np.bool_], *, left: int, top: int, height: int, width: int
) -> tuple[Mask, int, tuple[float, float, float, float]]:
    """RLE, area and tight box of a bool window (h, w) at ``left``, ``top`` of a photo."""
    starts, ends = _runs(crop, left=left, top=top, height=height)
    bounds = np.empty(2 * len(starts) + 2, dtype=np.int64)
    bounds[0], bounds[-1] = 0, height * width
    bounds[1:-1:2], bounds[2:-1:2] = starts, ends
    counts = np.diff(bounds)
    if counts[-1] == 0:
        counts = counts[:-1]
    rle = coco_mask.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
    mask = Mask(height=height, width=width, counts=rle["counts"].decode("ascii"))
    x, y, w, h = (float(v) for v in coco_mask.toBbox(rle))
    return mask, int((ends - starts).sum()), (x, y, w, h)


def _runs(
    crop: NDArray[np.bool_], *, left: int, top: int, height: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends of runs of ones, as offsets into the photo read column by column."""
    if not crop.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    columns = np.zeros((crop.shape[1], crop.shape[0] + 1), dtype=np.int8)
    columns[:, :-1] = crop.T
    flat = columns.ravel()
    change = np.flatnonzero(np.diff(flat, prepend=np.int8(0)))
    column, row = np.divmod(change, crop.shape[0] + 1)
    offsets = (column + left) * height + row + top
    starts, ends = offsets[0::2], offsets[1::2]
    joined = starts[1:] == ends[:-1]  # a run that leaves a column below and enters the next above
    return starts[np.r_[True, ~joined]], ends[np.r_[~joined, True]]
