"""Pants and shorts."""

import numpy as np

from fashionmap.sample.canvas import Canvas, smooth
from fashionmap.sample.fabric import Fabric, denim, draw_fabric
from fashionmap.sample.figure import Figure
from fashionmap.sample.wardrobe import ID, Random


def paint_pants(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Skinny, straight, wide or flared; full or cropped."""
    cloth = (
        denim(random)
        if random.random() < 0.45
        else draw_fabric(random, ("plain", "plain", "pinstripes", "checks"), quiet=0.75)
    )
    cut = [
        (0.42, 0.36, 0.25, 0.22, 0.16),
        (0.45, 0.4, 0.32, 0.3, 0.27),
        (0.46, 0.43, 0.4, 0.4, 0.4),
        (0.43, 0.38, 0.28, 0.34, 0.46),
    ][random.integers(4)]
    end = float(random.choice([1.75, 1.97, 2.06]))
    _paint_legs(canvas, figure, cloth, "pants", end, cut)


def paint_shorts(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Ending between upper thigh and knee."""
    cloth = (
        denim(random)
        if random.random() < 0.5
        else draw_fabric(random, ("plain", "checks", "flowers"), quiet=0.5)
    )
    end = float(random.uniform(0.42, 0.85))
    _paint_legs(canvas, figure, cloth, "shorts", end, (0.45, 0.46, 0.46, 0.47, 0.48))


def _paint_legs(
    canvas: Canvas, figure: Figure, cloth: Fabric, name: str, end: float, cut: tuple[float, ...]
) -> None:
    u, b = figure.unit, figure.build
    waist, hip = figure["waist"], figure["hip"]
    seat = smooth(
        [
            waist + (-0.48 * u * b, -0.05 * u),
            waist + (0.48 * u * b, -0.05 * u),
            hip + (0.68 * u * b, 0.05 * u),
            hip + (0.6 * u * b, 0.5 * u),
            hip + (0, 0.62 * u),
            hip + (-0.6 * u * b, 0.5 * u),
            hip + (-0.68 * u * b, 0.05 * u),
        ]
    )
    legs = [figure.leg(side, 0.0, end, cut) for side in "lr"]
    fly = [smooth([waist + (0, 0.1 * u), hip + (0, 0.5 * u)], closed=False)]
    creases = [figure.leg(s, 0.4, min(end, 1.4), (0.02, 0.1)) for s in "lr"]
    canvas.paint([seat, *legs], cloth, ID[name], folds=[*fly, *creases])
    canvas.line(
        np.array([waist + (-0.47 * u * b, 0.1 * u), waist + (0.47 * u * b, 0.1 * u)]),
        cloth.base * 0.7,
        1,
    )
