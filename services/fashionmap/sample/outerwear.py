"""Blazers, coats, cardigans and jackets."""

import numpy as np

from fashionmap.sample.canvas import Canvas, Points, ellipse, smooth
from fashionmap.sample.fabric import Fabric, draw_fabric
from fashionmap.sample.figure import Figure
from fashionmap.sample.wardrobe import COATS, ID, Random


def paint_outer(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Blazer, coat, cardigan or jacket, open over what is worn below, or closed."""
    u, b = figure.unit, figure.build
    cloth = draw_fabric(random, COATS, quiet=0.6, sheen=float(random.choice([0.05, 0.05, 0.7])))
    low = float(random.choice([0.6, 1.2, 1.6, 2.6, 3.6]))
    ease = float(random.uniform(0.12, 0.24))
    body = _coat_body(figure, low, ease)
    sleeves = [figure.arm(s, 1.92, (0.3, 0.27, 0.24, 0.22, 0.21)) for s in "lr"]
    open_ = random.random() < 0.65
    if open_:
        gap = float(random.uniform(0.12, 0.38)) * u
        shapes = [_half(body, figure, gap, low, sign) for sign in (-1, 1)]
    else:
        shapes = [body]
    folds = [figure.arm(s, 1.6, (0.04, 0.08, 0.02)) for s in "lr"]
    canvas.paint([*shapes, *sleeves], cloth, ID["outer"], folds=folds, round_=0.6, shadow=0.45)
    for sign in (-1, 1):
        _lapel(canvas, figure, cloth, sign, closed=not open_)
    if not open_:
        canvas.line(
            np.array([figure["neck"] + (0, 0.7 * u), figure["hip"] + (0, (low - 1) * 0.8 * u)]),
            cloth.base * 0.55,
            2,
        )
        for t in (0.2, 0.5, 0.8):
            spot = figure.between("chest", "hip", t) + (0.12 * u * b, 0)
            canvas.paint(
                [ellipse(spot, (0.05 * u, 0.05 * u))],
                Fabric(cloth.base * 0.4 + 30, cloth.base),
                ID["outer"],
                shadow=0.2,
            )


def _coat_body(figure: Figure, low: float, ease: float) -> Points:
    u, b = figure.unit, figure.build
    hem = figure["waist"] + (figure["hip"] - figure["waist"]) * low
    half = u * b * (0.68 + 0.05 * low) + ease * u
    sl, sr, waist = figure["shoulder_l"], figure["shoulder_r"], figure["waist"]
    side = u * 0.5 * b + ease * u
    neck = figure["neck"]
    return np.array(
        [
            neck + (-0.24 * u, -0.06 * u),
            *smooth(
                [
                    sl + (-0.16 * u, -0.06 * u),
                    waist + (-side - 0.05 * u, -0.9 * u),
                    waist + (-side, 0),
                    hem + (-half, 0),
                ],
                closed=False,
            ),
            *smooth(
                [
                    hem + (half, 0),
                    waist + (side, 0),
                    waist + (side + 0.05 * u, -0.9 * u),
                    sr + (0.16 * u, -0.06 * u),
                ],
                closed=False,
            ),
            neck + (0.24 * u, -0.06 * u),
        ]
    )


def _half(body: Points, figure: Figure, gap: float, low: float, sign: int) -> Points:
    """The left or right panel of an open coat."""
    middle = figure["waist"][0] + sign * gap * 0.5
    kept = body[(body[:, 0] - figure["waist"][0]) * sign > 0]
    hem = figure["waist"] + (figure["hip"] - figure["waist"]) * low
    edge = np.array(
        [
            [hem[0] + sign * gap, hem[1]],
            [middle, figure["waist"][1]],
            [figure["neck"][0] + sign * gap * 0.35, figure["neck"][1] + 0.5 * figure.unit],
        ]
    )
    if sign < 0:
        first, second = kept[kept[:, 1].argmax() :], kept[: kept[:, 1].argmax() + 1]
        return np.concatenate([second, edge, first[::-1][:0]])
    start = kept[kept[:, 1].argmax() :]
    return np.concatenate([start, edge[::-1]])


def _lapel(canvas: Canvas, figure: Figure, cloth: Fabric, sign: int, *, closed: bool) -> None:
    u, neck = figure.unit, figure["neck"]
    reach = 0.05 if closed else 0.16
    flap = np.array(
        [
            neck + (sign * 0.22 * u, -0.1 * u),
            neck + (sign * 0.46 * u, 0.5 * u),
            neck + (sign * 0.3 * u, 0.62 * u),
            neck + (sign * reach * u, 1.15 * u),
            neck + (sign * 0.12 * u, 0.3 * u),
        ]
    )
    darker = Fabric(
        cloth.base * 0.88,
        cloth.accent * 0.88,
        cloth.pattern,
        cloth.scale,
        cloth.angle,
        cloth.sheen,
        cloth.seed,
    )
    canvas.paint([flap], darker, ID["outer"], shadow=0.3)
