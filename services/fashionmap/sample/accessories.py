"""Belts, scarves, ties, headwear and sunglasses."""

from collections.abc import Callable

import numpy as np

from fashionmap.sample.bags import paint_bag
from fashionmap.sample.canvas import Canvas, Points, ellipse, limb, smooth
from fashionmap.sample.fabric import Fabric, draw_fabric
from fashionmap.sample.figure import Figure
from fashionmap.sample.wardrobe import ID, LEATHERS, Random


def paint_belt(canvas: Canvas, figure: Figure, random: Random) -> None:
    """A band at the waist with a buckle."""
    u, b, waist = figure.unit, figure.build, figure["waist"]
    cloth = draw_fabric(random, LEATHERS, quiet=0.8, sheen=0.6)
    half = float(random.uniform(0.07, 0.13)) * u
    ends = 0.51 * u * b
    band = smooth(
        [
            waist + (-ends, -half),
            waist + (0, -half + 0.04 * u),
            waist + (ends, -half),
            waist + (ends, half),
            waist + (0, half + 0.05 * u),
            waist + (-ends, half),
        ],
        steps=3,
    )
    canvas.paint([band], cloth, ID["belt"], shadow=0.3)
    gold = (
        np.array([214, 178, 96], np.float32)
        if random.random() < 0.6
        else np.array([190, 194, 200], np.float32)
    )
    buckle = np.array(
        [
            waist + (-0.1 * u, -half * 0.8),
            waist + (0.1 * u, -half * 0.8),
            waist + (0.1 * u, half * 1.2),
            waist + (-0.1 * u, half * 1.2),
        ]
    )
    canvas.line(np.concatenate([buckle, buckle[:1]]), gold, max(int(u / 24), 2))


def paint_scarf(canvas: Canvas, figure: Figure, random: Random) -> None:
    """A scarf around the neck with hanging ends, or a tie."""
    cloth = draw_fabric(
        random, ("plain", "tartan", "stripes", "knit", "leopard", "dots"), quiet=0.25
    )
    if random.random() < 0.25:
        length = float(random.uniform(1.3, 1.7)) * figure.unit
        canvas.paint([_tie(figure, length)], cloth, ID["scarf&tie"])
        return
    sign = int(random.choice([-1, 1]))
    long = float(random.uniform(0.9, 2.0)) * figure.unit
    canvas.paint([_hanging_end(figure, sign, long)], cloth, ID["scarf&tie"], shadow=0.4)
    ring, fold = _ring(figure)
    canvas.paint([ring], cloth, ID["scarf&tie"], folds=[fold], shadow=0.4)


def _tie(figure: Figure, length: float) -> Points:
    u = figure.unit
    knot = figure["neck"] + (0, 0.22 * u)
    return np.array(
        [
            knot + (-0.09 * u, 0),
            knot + (0.09 * u, 0),
            knot + (0.06 * u, 0.14 * u),
            knot + (0.15 * u, length),
            knot + (0, length + 0.16 * u),
            knot + (-0.15 * u, length),
            knot + (-0.06 * u, 0.14 * u),
        ]
    )


def _hanging_end(figure: Figure, sign: int, long: float) -> Points:
    u = figure.unit
    hang = figure["neck"] + (sign * 0.16 * u, 0.3 * u)
    spine = [hang, hang + (sign * 0.08 * u, long * 0.5), hang + (sign * 0.04 * u, long)]
    return limb(spine, [0.15 * u, 0.2 * u, 0.22 * u])


def _ring(figure: Figure) -> tuple[Points, Points]:
    """A scarf around the neck, and its fold."""
    u, neck = figure.unit, figure["neck"]
    ring = smooth(
        [
            neck + (-0.42 * u, 0.12 * u),
            neck + (-0.3 * u, -0.2 * u),
            neck + (0, -0.1 * u),
            neck + (0.3 * u, -0.2 * u),
            neck + (0.42 * u, 0.12 * u),
            neck + (0.2 * u, 0.4 * u),
            neck + (-0.2 * u, 0.4 * u),
        ]
    )
    fold = [neck + (-0.3 * u, 0.1 * u), neck + (0, 0.24 * u), neck + (0.3 * u, 0.08 * u)]
    return ring, smooth(fold, closed=False)


def paint_headwear(canvas: Canvas, figure: Figure, random: Random) -> None:
    """A beanie, a brimmed hat, a cap or a beret."""
    u, head = figure.unit, figure.head
    kind = int(random.integers(4))
    cloth = draw_fabric(random, ("knit",) if kind == 0 else ("plain", "tweed"), quiet=0.5)
    if kind == 1:
        _paint_brimmed(canvas, figure, cloth)
        return
    beret = ellipse(head + (0.12 * u, -0.52 * u), (0.62 * u, 0.26 * u), turn=0.2)
    shapes = [beret] if kind == 3 else [_dome(figure)]
    if kind == 2:
        shapes.append(_peak(figure))
    canvas.paint(shapes, cloth, ID["headwear"], shadow=0.5 if kind else 0.4)


def _dome(figure: Figure) -> Points:
    u, head = figure.unit, figure.head
    return smooth(
        [
            head + (-0.44 * u, -0.22 * u),
            head + (-0.36 * u, -0.6 * u),
            head + (0, -0.8 * u),
            head + (0.36 * u, -0.6 * u),
            head + (0.44 * u, -0.22 * u),
            head + (0, -0.16 * u),
        ]
    )


def _peak(figure: Figure) -> Points:
    """Of a cap."""
    u, head = figure.unit, figure.head
    return smooth(
        [
            head + (-0.4 * u, -0.26 * u),
            head + (0.4 * u, -0.26 * u),
            head + (0.46 * u, -0.1 * u),
            head + (0, -0.02 * u),
            head + (-0.46 * u, -0.1 * u),
        ]
    )


def _paint_brimmed(canvas: Canvas, figure: Figure, cloth: Fabric) -> None:
    u, head = figure.unit, figure.head
    brim = ellipse(head + (0, -0.26 * u), (0.82 * u, 0.17 * u))
    canvas.paint([brim], cloth, ID["headwear"], shadow=0.5)
    canvas.paint([_dome(figure)], cloth, ID["headwear"], shadow=0.3)
    band = [head + (-0.43 * u, -0.34 * u), head + (0, -0.28 * u), head + (0.43 * u, -0.34 * u)]
    canvas.line(smooth(band, closed=False), cloth.base * 0.45, max(int(u * 0.1), 2))


def paint_sunglasses(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Two dark glasses, a bridge, temples."""
    u, head = figure.unit, figure.head
    tint = np.array([[18, 18, 20], [52, 34, 24], [30, 40, 52]], np.float32)[random.integers(3)]
    cloth = Fabric(tint, tint + 40, "plain", 9.0, 0.0, 0.9, 1)
    wide, tall = float(random.uniform(0.15, 0.19)) * u, float(random.uniform(0.11, 0.17)) * u
    y = 0.0
    lenses = [ellipse(head + (s * 0.18 * u, y), (wide, tall)) for s in (-1, 1)]
    bridge = limb(
        [head + (-0.08 * u, y - 0.04 * u), head + (0.08 * u, y - 0.04 * u)], [0.025 * u, 0.025 * u]
    )
    temples = [
        limb(
            [head + (s * 0.3 * u, y - 0.03 * u), head + (s * 0.37 * u, y - 0.04 * u)],
            [0.03 * u, 0.025 * u],
        )
        for s in (-1, 1)
    ]
    canvas.paint([*lenses, bridge, *temples], cloth, ID["sunglasses"], shadow=0.2)


ACCESSORIES: dict[str, tuple[float, Callable[[Canvas, Figure, Random], None]]] = {
    "scarf&tie": (0.22, paint_scarf),
    "headwear": (0.28, paint_headwear),
    "sunglasses": (0.34, paint_sunglasses),
    "bag": (0.55, paint_bag),
}
"""How often each is worn, and how it is painted."""
