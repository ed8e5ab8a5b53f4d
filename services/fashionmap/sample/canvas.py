"""The picture that is drawn on, and beside it what is seen where."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from fashionmap.sample.fabric import Fabric

Points = NDArray[np.float64]
SUBPIXELS = 4


class Canvas:
    """Pixels uint8 RGB (h, w, 3), and a label a pixel: the last thing that was painted there."""

    def __init__(self, pixels: NDArray[np.uint8], light: tuple[float, float]) -> None:
        self.pixels = pixels
        self.labels: NDArray[np.uint8] = np.zeros((pixels.shape[0], pixels.shape[1]), np.uint8)
        self.light = light

    def paint(
        self,
        shapes: Sequence[Points],
        fabric: Fabric,
        label: int,
        *,
        round_: float = 0.5,
        shadow: float = 0.35,
        folds: Sequence[Points] = (),
    ) -> None:
        """Fills closed outlines together, with light, shade and a soft shadow below them.

        Args:
            shapes: Outlines float64 (n, 2) in pixels.
            fabric: What they are filled with.
            label: What the pixels are from now on.
            round_: How round the form looks, 0 flat to 1.
            shadow: Strength of the shadow on what lies below.
            folds: Lines along which the cloth folds.
        """
        window = self._window(shapes)
        if window is None:
            return
        x1, y1, x2, y2 = window
        cover: NDArray[np.uint8] = np.zeros((y2 - y1, x2 - x1), np.uint8)
        scaled = [_fixed(s - (x1, y1)) for s in shapes]
        for shape in scaled:
            cv2.fillPoly(cover, [shape], 255, cv2.LINE_AA, SUBPIXELS)
        below = self.pixels[y1:y2, x1:x2].astype(np.float32)
        if shadow:
            fallen = cv2.blur(np.roll(cover, (4, -int(3 * self.light[0])), (0, 1)), (9, 9))
            below *= 1 - shadow * fallen[..., None].astype(np.float32) / 255
        cloth = self._shade(fabric, cover, round_, [_fixed(f - (x1, y1)) for f in folds])
        alpha = cover[..., None].astype(np.float32) / 255
        self.pixels[y1:y2, x1:x2] = np.clip(below + alpha * (cloth - below), 0, 255)
        self.labels[y1:y2, x1:x2][cover >= 128] = label

    def line(self, points: Points, colour: ArrayLike, width: int) -> None:
        """A seam, a strand, a strap: it changes pixels, not labels."""
        shade = tuple(float(c) for c in np.asarray(colour))
        cv2.polylines(self.pixels, [_fixed(points)], False, shade, width, cv2.LINE_AA, SUBPIXELS)

    def stroke(self, points: Points, fabric: Fabric, label: int, width: int) -> None:
        """A line that is a part of its own, such as a strap."""
        cover = np.zeros(self.labels.shape, np.uint8)
        cv2.polylines(cover, [_fixed(points)], False, 255, width, cv2.LINE_AA, SUBPIXELS)
        self.pixels[cover >= 128] = np.clip(fabric.base, 0, 255)
        self.labels[cover >= 128] = label

    def _window(self, shapes: Sequence[Points]) -> tuple[int, int, int, int] | None:
        every = np.concatenate(shapes)
        x1, y1 = np.maximum(np.floor(every.min(axis=0)).astype(int) - 8, 0)
        x2, y2 = np.ceil(every.max(axis=0)).astype(int) + 8
        x2, y2 = min(x2, self.labels.shape[1]), min(y2, self.labels.shape[0])
        return None if x2 - x1 < 2 or y2 - y1 < 2 else (int(x1), int(y1), int(x2), int(y2))

    def _shade(
        self,
        fabric: Fabric,
        cover: NDArray[np.uint8],
        round_: float,
        folds: Sequence[NDArray[np.int32]],
    ) -> NDArray[np.float32]:
        """The fabric under the light: darker to the edges, brighter towards the light."""
        height, width = cover.shape
        reach = int(np.clip(min(height, width) * 0.3, 5, 41)) | 1
        small = cv2.resize(cover, (max(width // 2, 1), max(height // 2, 1)))
        soft = (
            cv2.resize(cv2.blur(small, (reach // 2 | 1,) * 2), (width, height)).astype(np.float32)
            / 255
        )
        shift = reach // 3
        tilt = np.roll(soft, -shift, 1) - np.roll(soft, shift, 1)
        light = 1 + round_ * (0.45 * (soft - 0.85) + self.light[0] * 0.32 * tilt)
        if len(folds):
            creases = np.zeros((height, width), np.uint8)
            cv2.polylines(creases, list(folds), False, 255, 2, cv2.LINE_AA, SUBPIXELS)
            crease = cv2.blur(creases, (7, 7)).astype(np.float32) / 255
            light += 0.35 * (np.roll(crease, 3, 1) - 1.4 * crease)
        cloth = fabric.render(height, width) * light[..., None]
        if fabric.sheen > 0.3:
            gloss = np.clip(self.light[0] * tilt * 2.2 - 0.3, 0, 1) ** 2
            cloth += fabric.sheen * 120 * gloss[..., None]
        result: NDArray[np.float32] = cloth.astype(np.float32)
        return result


def smooth(points: ArrayLike, *, closed: bool = True, steps: int = 6) -> Points:
    """A Catmull-Rom curve through points, float64 (m, 2)."""
    knots = np.asarray(points, dtype=np.float64)
    if closed:
        ring = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        ring = np.concatenate([knots[:1], knots, knots[-1:]])
    p0, p1, p2, p3 = ring[:-3], ring[1:-2], ring[2:-1], ring[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * p1[:, None]
        + (p2 - p0)[:, None] * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3)[:, None] * t**2
        + (3 * p1 - p0 - 3 * p2 + p3)[:, None] * t**3
    )
    flat: Points = curve.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, knots[-1:]])


def limb(spine: ArrayLike, widths: Sequence[float]) -> Points:
    """Outline of a tapering limb along a spine; widths are half widths at its points."""
    line = smooth(np.asarray(spine, dtype=np.float64), closed=False)
    half = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(widths)), widths)
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    left, right = line + across * half[:, None], line - across * half[:, None]
    outline: Points = np.concatenate([left, right[::-1]])
    return outline


def ellipse(centre: Points, radii: tuple[float, float], *, turn: float = 0.0) -> Points:
    """An ellipse as outline."""
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    x, y = np.cos(angle) * radii[0], np.sin(angle) * radii[1]
    c, s = np.cos(turn), np.sin(turn)
    return np.stack([centre[0] + x * c - y * s, centre[1] + x * s + y * c], axis=1)


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.rint(points * (1 << SUBPIXELS)).astype(np.int32)
