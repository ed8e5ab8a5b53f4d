"""Cut-outs: a unit's pixels with everything else transparent."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

from fashionmap.domain.garment import Detection, Mask
from fashionmap.domain.rle import run_lengths

THUMBNAIL_SIDE = 192
WORKING_SIDE = 320
"""Cut-outs for the embedder are reduced to this longest side at most."""


def cut_out(photo: NDArray[np.uint8], detection: Detection) -> NDArray[np.uint8]:
    """A detection's pixels, cropped to its mask.

    Args:
        photo: uint8 RGB (h, w, 3); may be smaller than the mask by one factor on both sides.
        detection: Its mask is of the photo's full size.

    Returns:
        uint8 RGBA (height, width, 4), longest side at most 320; alpha in 0..255.
    """
    x, y, w, h = detection.bbox
    scale_x = photo.shape[1] / detection.mask.width
    scale_y = photo.shape[0] / detection.mask.height
    left, top = int(x), int(y)
    right, bottom = int(np.ceil(x + w)), int(np.ceil(y + h))
    alpha = cover_inside(detection.mask, (left, top, right, bottom))
    x1, y1 = int(left * scale_x), int(top * scale_y)
    x2 = max(int(np.ceil(right * scale_x)), x1 + 1)
    y2 = max(int(np.ceil(bottom * scale_y)), y1 + 1)
    crop = photo[y1:y2, x1:x2]
    shrink = min(1.0, WORKING_SIDE / max(crop.shape[:2]))
    size = (max(round(crop.shape[1] * shrink), 1), max(round(crop.shape[0] * shrink), 1))
    pixels = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    return np.dstack([pixels, cover]).astype(np.uint8)


def whole_picture(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture that shows one garment and nothing else, as an opaque cut-out."""
    shrink = min(1.0, WORKING_SIDE / max(photo.shape[:2]))
    size = (max(round(photo.shape[1] * shrink), 1), max(round(photo.shape[0] * shrink), 1))
    pixels = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


def cover_inside(mask: Mask, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """A mask inside a box ``(left, top, right, bottom)``: uint8 (height, width), 0 or 255.

    Where the box holds all of the mask, as a tight one does, the rest of the photo is not touched.
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    bounds = np.cumsum(run_lengths(mask.counts))
    ones = len(bounds) // 2
    first, last = bounds[0 : 2 * ones : 2], bounds[1 : 2 * ones : 2] - 1
    (x1, y1), (x2, y2) = np.divmod(first, mask.height), np.divmod(last, mask.height)
    x, y = np.concatenate([x1, x2]), np.concatenate([y1, y2])
    inside = (x >= left).all() and (x < right).all() and (y >= top).all() and (y < bottom).all()
    if not inside or ((x1 < x2).any() and height < mask.height):
        return decode_mask(mask)[top:bottom, left:right] * np.uint8(255)
    edges = np.zeros(2 * ones + 2, dtype=np.int64)
    edges[1:-1:2] = (x1 - left) * height + y1 - top
    edges[2:-1:2] = (x2 - left) * height + y2 - top + 1
    edges[-1] = width * height
    values = np.arange(len(edges) - 1, dtype=np.uint8) % 2 * np.uint8(255)
    return np.ascontiguousarray(np.repeat(values, np.diff(edges)).reshape(width, height).T)


def decode_mask(mask: Mask) -> NDArray[np.uint8]:
    """The mask as uint8 (height, width) in {0, 1}."""
    rle = {"size": [mask.height, mask.width], "counts": mask.counts.encode("ascii")}
    decoded: NDArray[np.uint8] = coco_mask.decode(rle)
    return decoded


def thumbnail(cutout: NDArray[np.uint8]) -> bytes:
    """A cut-out as WebP with transparency, longest side at most 192 px."""
    import io

    image = Image.fromarray(cutout, "RGBA")
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    sink = io.BytesIO()
    image.save(sink, "WEBP", quality=82, method=2, exact=False)
    return sink.getvalue()
