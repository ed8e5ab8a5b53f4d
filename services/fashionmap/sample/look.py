"""One street look: who, what is worn, where, in what light; and the ground truth."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionmap.sample.accessories import ACCESSORIES, paint_belt
from fashionmap.sample.canvas import Canvas, ellipse
from fashionmap.sample.figure import SKIN_LABEL, Figure, draw_figure, paint_body, paint_head
from fashionmap.sample.legwear import paint_pants, paint_shorts
from fashionmap.sample.outerwear import paint_outer
from fashionmap.sample.shoes import paint_boots, paint_footwear
from fashionmap.sample.skirts import paint_dress, paint_skirt
from fashionmap.sample.street import draw_street
from fashionmap.sample.tops import paint_top

SMALLEST = 60
"""Pixels of a garment below which it counts as hidden."""


@dataclass(frozen=True)
class Look:
    """A drawn photo with its truth.

    Attributes:
        pixels: uint8 RGB (height, width, 3).
        labels: uint8 (height, width): category id of ModaNet's thirteen, 14 for the person's skin
            and hair, 0 for the background.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def draw_look(seed: int, number: int) -> Look:
    """Look ``number`` of a seed: always the same, whatever else is drawn."""
    random = np.random.default_rng((seed, number))
    height = int(random.integers(800, 851))
    width = int(random.integers(530, 571))
    light = (float(random.choice([-1, 1]) * random.uniform(0.4, 1.0)), 0.6)
    canvas = Canvas(draw_street(random, height, width), light)
    figure = draw_figure(random, height, width)
    _cast_shadow(canvas, figure)
    _dress(canvas, figure, random)
    labels = np.where(_too_small(canvas.labels), SKIN_LABEL, canvas.labels).astype(np.uint8)
    return Look(_photograph(canvas.pixels, random), labels)


def _dress(canvas: Canvas, figure: Figure, random: np.random.Generator) -> None:
    """Paints in the order of dressing, so that each thing covers what it covers."""
    paint_body(canvas, figure)
    boots, outfit = random.random() < 0.3, random.random()
    wide = outfit < 0.25
    if not wide:
        (paint_boots if boots else paint_footwear)(canvas, figure, random)
    if outfit < 0.42:
        tucked = random.random() < 0.5
        if tucked:
            paint_top(canvas, figure, random, tucked=True)
        paint_pants(canvas, figure, random)
        if not tucked:
            paint_top(canvas, figure, random, tucked=False)
    elif outfit < 0.74:
        lower = paint_skirt if outfit < 0.58 else paint_shorts
        paint_top(canvas, figure, random, tucked=True)
        lower(canvas, figure, random)
    else:
        paint_dress(canvas, figure, random)
    if wide:
        (paint_boots if boots and outfit < 0.12 else paint_footwear)(canvas, figure, random)
    if random.random() < 0.42:
        paint_belt(canvas, figure, random)
    if random.random() < 0.5:
        paint_outer(canvas, figure, random)
    paint_head(canvas, figure)
    for often, paint in ACCESSORIES.values():
        if random.random() < often:
            paint(canvas, figure, random)


def _cast_shadow(canvas: Canvas, figure: Figure) -> None:
    """A soft shadow on the ground, away from the light."""
    u = figure.unit
    feet = (figure["ankle_l"] + figure["ankle_r"]) / 2 + (0, 0.42 * u)
    outline = ellipse(feet - (canvas.light[0] * 0.5 * u, 0), (1.5 * u, 0.2 * u))
    height = canvas.labels.shape[0]
    cover: NDArray[np.uint8] = np.zeros((height, canvas.labels.shape[1]), np.uint8)
    cv2.fillPoly(cover, [outline.astype(np.int32)], 255)
    y1, y2 = max(int(feet[1] - u), 0), min(int(feet[1] + u), height)
    soft = cv2.blur(cover[y1:y2], (25, 9)).astype(np.float32)[..., None] / 255
    canvas.pixels[y1:y2] = (canvas.pixels[y1:y2] * (1 - 0.5 * soft)).astype(np.uint8)


def _too_small(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    counts = np.bincount(labels.ravel(), minlength=256)
    hidden = np.flatnonzero((counts > 0) & (counts < SMALLEST))
    result: NDArray[np.bool_] = np.isin(labels, hidden)
    return result


def _photograph(pixels: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """White balance, exposure, contrast and grain."""
    warm = 1 + random.normal(0, 0.03, 3) + np.array([0.03, 0, -0.03]) * random.normal()
    ramp = np.arange(256, dtype=np.float64)[:, None] * warm * random.uniform(0.88, 1.1)
    ramp = (ramp - 128) * random.uniform(0.92, 1.12) + 128
    table = np.clip(ramp, 0, 255).astype(np.uint8)[None]
    toned = cv2.LUT(pixels, table)
    grain = np.empty((pixels.shape[0], pixels.shape[1]), np.int8)
    cv2.setRNGSeed(int(random.integers(1 << 30)))
    cv2.randn(grain, np.zeros(1), np.full(1, random.uniform(1.0, 4.0)))
    grained = cv2.add(toned, cv2.merge([grain] * 3), dtype=cv2.CV_8U)
    result: NDArray[np.uint8] = np.asarray(grained, dtype=np.uint8)
    return result
