"""Words for the pattern of a cut-out: striped, checked, patterned, or none for plain cloth."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 128
"""Pixels of the longest side that patterns are looked for at."""
LEAST_PIXELS = 250
PLAIN = 7.0
"""Deviation of lightness (L*, 0 to 100) from its surroundings under which cloth is plain."""
ONE_WAY = 0.62
"""Share of the gradient along one axis from which cloth is striped."""
TWO_WAYS = 0.63
"""Share along two axes at right angles from which it is checked."""


def pattern_of_picture(data: bytes) -> str:
    """The same of a cut-out's WebP."""
    return pattern_of(np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")))


def pattern_of(cutout: NDArray[np.uint8]) -> str:
    """``"striped"``, ``"checked"``, ``"patterned"``, or ``""`` where the cloth is plain.

    Folds and shadows are wide, so only what differs from its near surroundings counts; the mask's
    edge is left out. Words are by the directions of the gradients that remain.

    Args:
        cutout: uint8 RGBA (height, width, 4), alpha 0 outside the garment.
    """
    scale = SIDE / max(cutout.shape[:2])
    small = cv2.resize(cutout, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    inside = cv2.erode((small[..., 3] > 200).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if inside.sum() < LEAST_PIXELS:
        return ""
    pixels = small.astype(np.float32) / np.float32(255)
    light = np.asarray(cv2.cvtColor(pixels[..., :3], cv2.COLOR_RGB2LAB)[..., 0], np.float32)
    fine = light - _surroundings(light, np.asarray(pixels[..., 3], np.float32))
    if float(fine[inside].std()) < PLAIN:
        return ""
    return _word(*_directions(fine, inside))


def _surroundings(light: NDArray[np.float32], cover: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of what is near and inside."""
    near = cv2.GaussianBlur(light * cover, (0, 0), 9)
    weight = cv2.GaussianBlur(cover, (0, 0), 9)
    return np.asarray(near / np.maximum(weight, 1e-3), np.float32)


def _directions(fine: NDArray[np.float32], inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Shares of the gradient within 20° of its main axis, and within 20° of that or across it."""
    dx, dy = (cv2.Sobel(fine, cv2.CV_32F, *axis, ksize=3)[inside] for axis in ((1, 0), (0, 1)))
    strength = np.hypot(dx, dy)
    angle = np.mod(np.arctan2(dy, dx), np.pi)
    bins = np.bincount((angle / np.pi * 36).astype(int) % 36, strength, minlength=36)
    share = bins / max(float(bins.sum()), 1e-6)
    wide = np.sum([np.roll(share, step) for step in range(-4, 5)], axis=0)
    main = int(np.argmax(wide))
    across = (main + 18) % 36
    return float(wide[main]), float(wide[main] + wide[across])


def _word(one_way: float, two_ways: float) -> str:
    if one_way >= ONE_WAY:
        return "striped"
    if two_ways >= TWO_WAYS:
        return "checked"
    return "patterned"
