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
        close: Those of close-ups, where a garment fills the canvas.
        closer: Probability of a close-up.
        far: Those of people far away.
        farther: Probability of people far away.
        flip: Probability of mirroring.
        light: Largest relative change of brightness, contrast and saturation.
        hue: Largest shift of hue in degrees.
        turn: Largest rotation in degrees.
        lean: That of people who bend or lean.
        leaning: Probability of such a one.
        grey: Probability of losing all colour.
        soften: Probability of blurring.
        erase: Probability of covering a rectangle.
        paste: Probability of copy-pasting a rare garment.
        company: Probability of copy-pasting a whole look from another photo.
        bare: Probability of a picture of nothing instead of the photo.
        ground: Probability that a picture of nothing, and no grey, lies around the photo; and as
            much that the photo itself does, blurred and stretched.
    """

    scale: tuple[float, float] = (0.75, 1.5)
    close: tuple[float, float] = (1.5, 3.4)
    closer: float = 0.3
    far: tuple[float, float] = (0.3, 0.75)
    farther: float = 0.15
    flip: float = 0.5
    light: float = 0.4
    hue: float = 16.0
    turn: float = 8.0
    lean: float = 40.0
    leaning: float = 0.15
    grey: float = 0.1
    soften: float = 0.15
    erase: float = 0.3
    paste: float = 0.3
    company: float = 0.2
    bare: float = 0.015
    ground: float = 0.35

    def size(self, random: np.random.Generator) -> float:
        """A random size, relative to the photo just fitting the canvas."""
        chosen = random.random()
        near, far = self.closer, self.closer + self.farther
        bounds = self.close if chosen < near else self.far if chosen < far else self.scale
        return float(np.exp(random.uniform(*np.log(bounds))))

    def warp(
        self,
        photo: tuple[int, int],
        canvas: tuple[int, int],
        random: np.random.Generator,
        *,
        size: float,
    ) -> Warp:
        """A random stretch, rotation, place and mirroring, of a photo of some relative size."""
        scale = size * min(canvas[0] / photo[0], canvas[1] / photo[1])
        stretch = float(np.exp(random.uniform(-0.1, 0.1)))
        most = self.lean if random.random() < self.leaning else self.turn
        turn = np.deg2rad(random.uniform(-most, most))
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        linear = rotation @ np.diag([scale * stretch, scale / stretch])
        room = np.array(canvas[::-1])
        middle = np.array(photo[::-1]) / 2
        sides = np.array([scale * stretch, scale / stretch]) * photo[::-1]
        centre = sides / 2 + random.uniform(size=2) * (room - sides)
        matrix = np.column_stack([linear, centre - linear @ middle])
        if random.random() < self.flip:
            matrix[0] = [*-matrix[0, :2], canvas[1] - matrix[0, 2]]
        return Warp(matrix, canvas)

    def colour(self, image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
        """Random brightness, contrast, saturation, hue and blur on uint8 RGB (height, width, 3)."""
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
        if random.random() < self.grey:
            rgb = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
        if random.random() < self.soften:
            rgb = cv2.GaussianBlur(rgb, (0, 0), random.uniform(0.5, 1.5))  # type: ignore[assignment]
        return rgb

    def nothing(self, canvas: tuple[int, int], random: np.random.Generator) -> NDArray[np.uint8]:
        """A picture without clothes, uint8 (height, width, 3): a colour, or one that turns into
        another, smooth or with noise. Some are black or white all over."""
        ends = random.integers(256, size=(2, 1, 1, 3)).astype(np.float64)
        kind = random.integers(4)
        if kind == 0:
            ends[:] = 255.0 * random.integers(2)
        elif kind == 1:
            ends[1] = ends[0]
        share = np.linspace(0, 1, canvas[0])[:, None, None]
        plain = ends[0] * (1 - share) + ends[1] * share
        noise = random.choice([0.0, 4.0, 24.0]) * random.standard_normal((*canvas, 3))
        picture: NDArray[np.uint8] = np.clip(plain + noise, 0, 255).astype(np.uint8)
        return picture

    def around(
        self, photo: NDArray[np.uint8], canvas: tuple[int, int], random: np.random.Generator
    ) -> NDArray[np.uint8]:
        """What lies around a photo that does not fill its canvas, uint8 (height, width, 3)."""
        chosen = random.random()
        if chosen < self.ground:
            return self.nothing(canvas, random)
        if chosen < 2 * self.ground:
            small = cv2.resize(photo, (canvas[1] // 4, canvas[0] // 4))
            soft = cv2.GaussianBlur(small, (0, 0), random.uniform(2, 8))
            stretched: NDArray[np.uint8] = cv2.resize(soft, canvas[::-1])  # type: ignore[assignment]
            return stretched
        return np.full((*canvas, 3), 127, np.uint8)

    def hole(self, canvas: tuple[int, int], random: np.random.Generator) -> NDArray[np.uint8]:
        """A rectangle of 10 to 30 % of each side as a mask, uint8 (height, width) in {0, 1}.

        Covering it is random erasing (Zhong et al. 2020, arXiv 1708.04896).
        """
        height, width = (int(side * random.uniform(0.1, 0.3)) for side in canvas)
        top, left = random.integers(canvas[0] - height), random.integers(canvas[1] - width)
        mask = np.zeros(canvas, np.uint8)
        mask[top : top + height, left : left + width] = 1
        return mask
