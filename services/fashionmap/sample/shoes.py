"""Footwear and boots."""

import numpy as np

from fashionmap.sample.canvas import Canvas, Points, smooth
from fashionmap.sample.fabric import Fabric, draw_fabric
from fashionmap.sample.figure import Figure
from fashionmap.sample.wardrobe import ID, LEATHERS, Random

RUBBER = Fabric(np.array([240, 238, 232], np.float32), np.array([200, 200, 196], np.float32))


def paint_footwear(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Sneakers, flats or heels: a pair."""
    kind = int(random.integers(3))
    cloth = draw_fabric(
        random, ("plain", "plain", "leopard"), quiet=0.6, sheen=0.1 if kind == 0 else 0.6
    )
    feet = [_foot(figure, side, kind) for side in "lr"]
    shapes = [_shoe(figure, ankle, toe, mouth=-0.1 if kind == 0 else 0.12) for ankle, toe in feet]
    canvas.paint(shapes, cloth, ID["footwear"], shadow=0.4)
    if kind == 0:
        for ankle, toe in feet:
            _paint_sneaker(canvas, figure, ankle, toe)


def _foot(figure: Figure, side: str, kind: int) -> tuple[Points, Points]:
    """Ankle and toe."""
    u, ankle = figure.unit, figure[f"ankle_{side}"]
    sign = -1 if side == "l" else 1
    return ankle, ankle + (sign * 0.16 * u, (0.5 if kind == 2 else 0.44) * u)


def _shoe(figure: Figure, ankle: Points, toe: Points, *, mouth: float) -> Points:
    u = figure.unit
    return smooth(
        [
            ankle + (-0.15 * u, mouth * u),
            ankle + (0.15 * u, mouth * u),
            toe + (0.2 * u, -0.06 * u),
            toe + (0.1 * u, 0.06 * u),
            toe + (-0.16 * u, 0.06 * u),
            toe + (-0.2 * u, -0.1 * u),
        ]
    )


def _paint_sneaker(canvas: Canvas, figure: Figure, ankle: Points, toe: Points) -> None:
    """A white sole, and laces."""
    u = figure.unit
    sole = smooth(
        [
            toe + (-0.2 * u, 0.0),
            toe + (0, 0.1 * u),
            toe + (0.2 * u, 0.0),
            toe + (0.1 * u, 0.1 * u),
            toe + (-0.12 * u, 0.1 * u),
        ]
    )
    canvas.paint([sole], RUBBER, ID["footwear"], shadow=0.0)
    for t in (0.25, 0.4, 0.55):
        lace = ankle + (toe - ankle) * t
        ends = np.array([lace + (-0.08 * u, 0), lace + (0.08 * u, -0.03 * u)])
        canvas.line(ends, (236, 234, 228), 2)


def paint_boots(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Ankle boots to knee boots: a pair."""
    u = figure.unit
    cloth = draw_fabric(random, LEATHERS, quiet=0.85, sheen=float(random.choice([0.1, 0.7])))
    start = float(random.uniform(1.05, 1.75))
    shapes = []
    for side, sign in (("l", -1), ("r", 1)):
        toe = figure[f"ankle_{side}"] + (sign * 0.15 * u, 0.44 * u)
        shapes.append(figure.leg(side, start, 2.08, (0.29, 0.28, 0.25, 0.21, 0.2)))
        shapes.append(
            smooth(
                [
                    figure[f"ankle_{side}"] + (-0.18 * u, -0.05 * u),
                    figure[f"ankle_{side}"] + (0.18 * u, -0.05 * u),
                    toe + (0.2 * u, -0.04 * u),
                    toe + (0.1 * u, 0.07 * u),
                    toe + (-0.14 * u, 0.07 * u),
                    toe + (-0.2 * u, -0.06 * u),
                ]
            )
        )
    canvas.paint(shapes, cloth, ID["boots"], shadow=0.4, round_=0.7)
