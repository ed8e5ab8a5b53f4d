"""Augmentation of training photos: where they lie on the canvas, and their colours."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Warp:
    """An affine map from photo to canvas.

    Attributes:
        matrix: float64 (2, 3), photo pixels to canvas pixels.
        size: Canvas ``(height, width)``.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]

    def image(self, photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The photo on the canvas, uint8 (height, width, 3); grey where there is no photo."""
        shrink = float(self.matrix[1, 1])
        if shrink < 0.6:
            photo = cv2.blur(photo, (2, 2))  # type: ignore[assignment]
        return self._apply(photo, cv2.INTER_LINEAR, (127, 127, 127))

    def mask(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A mask on the canvas, uint8 (height, width) in {0, 1}."""
        return self._apply(mask, cv2.INTER_NEAREST, (0,))

    def _apply(
        self, picture: NDArray[np.uint8], how: int, border: tuple[int, ...]
    ) -> NDArray[np.uint8]:
        warped: NDArray[np.uint8] = cv2.warpAffine(  # type: ignore[assignment]
            picture, self.matrix, self.size[::-1], flags=how, borderValue=border
        )
        return warped


@dataclass(frozen=True)
class Augmentation:
    """How far training samples stray from the photos.

    Attributes:
        scale: Least and largest size, relative to the photo just fitting the canvas.
        flip: Probability of mirroring.
        light: Largest relative change of brightness, contrast and saturation.
        hue: Largest shift of hue in degrees.
        paste: Probability of copy-pasting a rare garment.
    """

    scale: tuple[float, float] = (0.75, 1.5)
    flip: float = 0.5
    light: float = 0.3
    hue: float = 12.0
    paste: float = 0.3

    def warp(
        self, photo: tuple[int, int], canvas: tuple[int, int], random: np.random.Generator
    ) -> Warp:
        """A random scale, stretch, place and mirroring."""
        fit = min(canvas[0] / photo[0], canvas[1] / photo[1])
        scale = fit * float(np.exp(random.uniform(*np.log(self.scale))))
        stretch = float(np.exp(random.uniform(-0.1, 0.1)))
        sx, sy = scale * stretch, scale / stretch
        free_x, free_y = canvas[1] - photo[1] * sx, canvas[0] - photo[0] * sy
        matrix = np.array([[sx, 0, random.uniform() * free_x], [0, sy, random.uniform() * free_y]])
        if random.random() < self.flip:
            matrix[0] = [-sx, 0, canvas[1] - matrix[0, 2]]
        return Warp(matrix, canvas)

    def colour(self, image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
        """Random brightness, contrast, saturation and hue on uint8 RGB (height, width, 3)."""
        bright, contrast, saturation = random.uniform(1 - self.light, 1 + self.light, size=3)
        ramp = np.arange(256) * bright
        ramp = np.clip((ramp - 127) * contrast + 127, 0, 255).astype(np.uint8)
        hsv = cv2.cvtColor(cv2.LUT(image, ramp), cv2.COLOR_RGB2HSV)
        turn = round(random.uniform(-self.hue, self.hue) / 2)
        tables = np.stack(
            [
                (np.arange(256) + turn) % 180,
                np.clip(np.arange(256) * saturation, 0, 255),
                np.arange(256),
            ],
            axis=-1,
        ).astype(np.uint8)[None]
        shifted: NDArray[np.uint8] = cv2.LUT(hsv, tables)  # type: ignore[assignment]
        rgb: NDArray[np.uint8] = cv2.cvtColor(shifted, cv2.COLOR_HSV2RGB)  # type: ignore[assignment]
        return rgb
