"""Tops, their necklines and buttons, and bare arms beside them."""

import numpy as np

from fashionmap.sample.canvas import Canvas, ellipse, smooth
from fashionmap.sample.fabric import Fabric, draw_fabric
from fashionmap.sample.figure import Figure, paint_arms
from fashionmap.sample.wardrobe import ID, SHIRTS, Random


def paint_top(canvas: Canvas, figure: Figure, random: Random, *, tucked: bool) -> None:
    """Vest, T-shirt or shirt with a neckline, tucked in or hanging out."""
    u = figure.unit
    cloth = draw_fabric(random, SHIRTS, quiet=0.5)
    low = 0.15 if tucked else float(random.uniform(0.7, 1.3))
    body = figure.torso(low, ease=float(random.uniform(0.03, 0.16)))
    sleeve = float(random.choice([0.0, 0.45, 0.95, 1.85]))
    sleeves = [figure.arm(s, sleeve, (0.26, 0.25, 0.22, 0.2, 0.19)) for s in "lr"] if sleeve else []
    folds = [
        smooth(
            [figure["waist"] + (s * 0.4 * u, -0.1 * u), figure["waist"] + (s * 0.15 * u, -0.5 * u)],
            closed=False,
        )
        for s in (-1, 1)
    ]
    canvas.paint([body, *sleeves], cloth, ID["top"], folds=folds, round_=0.55)
    neckline(canvas, figure, cloth, random)
    if random.random() < 0.4:
        _buttons(canvas, figure, cloth, low)


def neckline(canvas: Canvas, figure: Figure, cloth: Fabric, random: Random) -> None:
    """Cuts a round, deep or V neckline: skin shows again."""
    u, neck = figure.unit, figure["neck"]
    depth = float(random.choice([0.22, 0.34, 0.6]))
    skin = Fabric(figure.skin, figure.skin * 0.9, "plain", 9.0, 0.0, 0.1, 5)
    cut = smooth(
        [neck + (-0.24 * u, -0.04 * u), neck + (0.24 * u, -0.04 * u), neck + (0, depth * u)]
    )
    canvas.paint([cut], skin, 14, shadow=0.0)
    canvas.line(np.concatenate([cut, cut[:1]]), cloth.base * 0.75, 1)


def _buttons(canvas: Canvas, figure: Figure, cloth: Fabric, low: float) -> None:
    end = figure["waist"] + (figure["hip"] - figure["waist"]) * low
    start = figure["neck"] + (0, 0.4 * figure.unit)
    canvas.line(np.array([start, end]), cloth.base * 0.7, 1)
    for t in np.linspace(0.1, 0.95, 6):
        spot = ellipse(start + (end - start) * t, (2.0, 2.0))
        canvas.line(np.concatenate([spot, spot[:1]]), cloth.base * 0.5 + 60, 1)


def paint_bare_arms(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Hands lie over what is worn below."""
    skin = Fabric(figure.skin, figure.skin * 0.9, "plain", 9.0, 0.0, 0.15, int(random.integers(9)))
    paint_arms(canvas, figure, skin)
