"""Pictures of data sets: their sizes, and a hash by which near-duplicates are found."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fashionmap.errors import DatasetRejected


def picture_size(path: Path) -> tuple[int, int]:
    """``(height, width)`` by the header; ``DatasetRejected`` where it is missing or unreadable."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, UnidentifiedImageError) as error:
        raise DatasetRejected(f"{path} is missing or no picture.") from error


def difference_hash(path: Path) -> NDArray[np.bool_] | None:
    """256 bits: is each of 16 × 16 pixels brighter than its left one? None if unreadable."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return None
    small = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits: NDArray[np.bool_] = (np.diff(small, axis=1) > 0).ravel()
    return bits
