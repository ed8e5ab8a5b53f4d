"""Pictures of data sets: whether they can be read, their sizes, their looks in small."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fashionmap.errors import DatasetRejected

HASH_SIDE, THUMB_SIDE = 16, 16
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}


@dataclass(frozen=True)
class Look:
    """A picture in small, to find its like.

    Attributes:
        sha256: Hash of the file.
        size: ``(height, width)`` in pixels.
        suffix: ``.jpg``, ``.png`` or ``.webp``, by its content.
        bits: bool (256,): is each of 16 × 16 pixels brighter than its left one?
        thumb: uint8 (16, 16, 3).
    """

    sha256: str
    size: tuple[int, int]
    suffix: str
    bits: NDArray[np.bool_]
    thumb: NDArray[np.uint8]


def look_at(data: bytes) -> Look:
    """Decodes a picture whole, so that damage shows.

    Raises:
        DatasetRejected: It is no JPEG, PNG or WebP, is damaged, or is a decompression bomb.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=tuple(SUFFIXES)) as image:
                suffix = SUFFIXES[str(image.format)]
                pixels = np.asarray(image.convert("RGB"))
    except UnidentifiedImageError as error:
        raise DatasetRejected("It is no JPEG, PNG or WebP.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        raise DatasetRejected(f"It is damaged: {error}.") from error
    thumb = cv2.resize(pixels, (THUMB_SIDE, THUMB_SIDE), interpolation=cv2.INTER_AREA)
    return Look(
        sha256=hashlib.sha256(data).hexdigest(),
        size=(pixels.shape[0], pixels.shape[1]),
        suffix=suffix,
        bits=_difference_hash(pixels),
        thumb=np.asarray(thumb, dtype=np.uint8),
    )


def picture_size(path: Path) -> tuple[int, int]:
    """``(height, width)`` by the header; ``DatasetRejected`` where it is missing or unreadable."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, UnidentifiedImageError) as error:
        raise DatasetRejected(f"{path} is missing or no picture.") from error


def _difference_hash(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA)
    bits: NDArray[np.bool_] = (np.diff(small.astype(np.int16), axis=1) > 0).ravel()
    return bits
