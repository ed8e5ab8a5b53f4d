"""Bags in the hand, on the shoulder or across the body."""

import numpy as np

from fashionmap.sample.canvas import Canvas, Points, ellipse, smooth
from fashionmap.sample.fabric import Fabric, draw_fabric
from fashionmap.sample.figure import Figure
from fashionmap.sample.wardrobe import ID, Random


def paint_bag(canvas: Canvas, figure: Figure, random: Random) -> None:
    """In the hand, on the shoulder or across the body."""
    u = figure.unit
    cloth = draw_fabric(
        random,
        ("plain", "plain", "checks", "leopard"),
        quiet=0.4,
        sheen=float(random.choice([0.1, 0.7])),
    )
    kind, side = int(random.integers(3)), "lr"[random.integers(2)]
    half, tall = float(random.uniform(0.34, 0.62)) * u, float(random.uniform(0.5, 0.95)) * u
    top, strap = _held(figure, side, half) if kind == 0 else _hung(figure, side, half, kind)
    leather = Fabric(cloth.base * 0.75, cloth.accent)
    canvas.stroke(strap, leather, ID["bag"], max(int(u * 0.06), 2))
    _paint_body(canvas, figure, cloth, top, (half, tall))


def _held(figure: Figure, side: str, half: float) -> tuple[Points, Points]:
    """The bag's upper edge and its handles, in the hand."""
    u, wrist = figure.unit, figure[f"wrist_{side}"]
    top = wrist + (0, 0.55 * u)
    handles = [top + (-half * 0.5, 0), wrist + (0, 0.16 * u), top + (half * 0.5, 0)]
    return top, smooth(handles, closed=False)


def _hung(figure: Figure, side: str, half: float, kind: int) -> tuple[Points, Points]:
    """The same from the shoulder (kind 1) or across the body (kind 2)."""
    u, sign = figure.unit, -1 if side == "l" else 1
    top = figure["hip"] + (sign * 0.72 * u, -0.45 * u if kind == 1 else -0.1 * u)
    if kind == 1:
        shoulder = figure[f"shoulder_{side}"]
        middle = shoulder + (sign * 0.08 * u, 1.2 * u)
    else:
        shoulder = figure["shoulder_r" if side == "l" else "shoulder_l"]
        middle = figure.between("chest", "waist", 0.2) + (sign * 0.3 * u, 0)
    end = shoulder + (-sign * 0.1 * u * (1 if kind == 1 else -1), -0.02 * u)
    return top, smooth([top + (-half * 0.6 * sign, 0), middle, end], closed=False)


def _paint_body(
    canvas: Canvas, figure: Figure, cloth: Fabric, top: Points, size: tuple[float, float]
) -> None:
    """The bag below its upper edge, with flap and clasp; half its width, and its height."""
    u, (half, tall) = figure.unit, size
    body = smooth(
        [
            top + (-half, 0),
            top + (0, -0.03 * u),
            top + (half, 0),
            top + (half * 1.08, tall * 0.9),
            top + (half * 0.8, tall),
            top + (-half * 0.8, tall),
            top + (-half * 1.08, tall * 0.9),
        ]
    )
    canvas.paint([body], cloth, ID["bag"], shadow=0.4)
    flap = smooth(
        [
            top + (-half * 0.95, 0.04 * u),
            top + (half * 0.95, 0.04 * u),
            top + (half * 0.7, tall * 0.45),
            top + (-half * 0.7, tall * 0.45),
        ]
    )
    canvas.line(np.concatenate([flap, flap[:1]]), cloth.base * 0.6, 2)
    clasp = ellipse(top + (0, tall * 0.46), (0.05 * u, 0.05 * u))
    canvas.line(np.concatenate([clasp, clasp[:1]]), (216, 184, 108), 2)
