"""Skirts and dresses."""

import numpy as np

from fashionmap.sample.canvas import Canvas, Points, smooth
from fashionmap.sample.fabric import draw_fabric
from fashionmap.sample.figure import Figure
from fashionmap.sample.tops import neckline
from fashionmap.sample.wardrobe import DRESSES, ID, SKIRTS, Random


def paint_skirt(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Pencil, A-line or full, from mini to maxi, perhaps pleated."""
    cloth = draw_fabric(random, SKIRTS, quiet=0.35, sheen=float(random.choice([0.1, 0.6])))
    length, flare = float(random.uniform(0.9, 3.2)), float(random.choice([0.62, 0.85, 1.15]))
    outline, folds = bell(figure, length, flare, int(random.integers(3, 8)))
    canvas.paint([outline], cloth, ID["skirt"], folds=folds)


def paint_dress(canvas: Canvas, figure: Figure, random: Random) -> None:
    """From slip to gown, with or without sleeves."""
    u = figure.unit
    cloth = draw_fabric(random, DRESSES, quiet=0.25, sheen=float(random.choice([0.1, 0.1, 0.6])))
    outline, folds = bell(
        figure, float(random.uniform(0.8, 3.4)), float(random.choice([0.66, 0.9, 1.1])), 5
    )
    sleeve = float(random.choice([0.0, 0.0, 0.4, 1.0, 1.85]))
    sleeves = [figure.arm(s, sleeve, (0.26, 0.24, 0.22, 0.21, 0.2)) for s in "lr"] if sleeve else []
    canvas.paint([figure.torso(0.3, ease=0.03), outline, *sleeves], cloth, ID["dress"], folds=folds)
    neckline(canvas, figure, cloth, random)
    if random.random() < 0.5:
        waist = figure["waist"]
        seam = smooth(
            [waist + (-0.47 * u, 0), waist + (0, 0.06 * u), waist + (0.47 * u, 0)], closed=False
        )
        canvas.line(seam, cloth.base * 0.7, 2)


def bell(figure: Figure, length: float, flare: float, pleats: int) -> tuple[Points, list[Points]]:
    """Outline of a skirt from the waist, ``length`` heads below the hip, and its pleats."""
    u, b = figure.unit, figure.build
    waist, hip = figure["waist"], figure["hip"]
    hem = hip + (0, length * u)
    half = u * b * flare * (0.75 + 0.14 * length)
    waves = [hem + (half * t, 0.06 * u * np.cos(t * 9)) for t in np.linspace(1, -1, 9)]
    outline = smooth(
        [
            waist + (-0.48 * u * b, -0.08 * u),
            waist + (0.48 * u * b, -0.08 * u),
            hip + (0.7 * u * b, 0),
            *waves,
            hip + (-0.7 * u * b, 0),
        ]
    )
    folds = [
        smooth([waist + (t * 0.4 * u * b, 0.4 * u), hem + (t * half * 0.9, -0.1 * u)], closed=False)
        for t in np.linspace(-0.9, 0.9, pleats)
    ]
    return outline, folds
