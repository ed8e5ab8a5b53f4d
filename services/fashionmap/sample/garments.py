"""Garments of all thirteen categories, cut to a figure and painted in the order of dressing."""

from collections.abc import Callable

import numpy as np

from fashionmap.domain.taxonomy import MODANET
from fashionmap.sample.canvas import Canvas, Points, ellipse, limb, smooth
from fashionmap.sample.fabric import Fabric, denim, draw_fabric
from fashionmap.sample.figure import Figure, paint_arms

Random = np.random.Generator
ID = {name: MODANET.id_of(name) for name in MODANET.categories}
LEATHERS = ("plain",)
SHIRTS = ("plain", "plain", "stripes", "checks", "dots", "flowers", "knit", "pinstripes")
DRESSES = ("plain", "flowers", "dots", "stripes", "leopard", "plain")
COATS = ("plain", "plain", "tweed", "checks", "tartan", "knit", "pinstripes", "leopard")
SKIRTS = ("plain", "flowers", "tartan", "dots", "leopard", "stripes", "plain")


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


def paint_skirt(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Pencil, A-line or full, from mini to maxi, perhaps pleated."""
    cloth = draw_fabric(random, SKIRTS, quiet=0.35, sheen=float(random.choice([0.1, 0.6])))
    length, flare = float(random.uniform(0.9, 3.2)), float(random.choice([0.62, 0.85, 1.15]))
    outline, folds = _bell(figure, length, flare, int(random.integers(3, 8)))
    canvas.paint([outline], cloth, ID["skirt"], folds=folds)


def _bell(figure: Figure, length: float, flare: float, pleats: int) -> tuple[Points, list[Points]]:
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
    _neckline(canvas, figure, cloth, random)
    if random.random() < 0.4:
        _buttons(canvas, figure, cloth, low)


def _neckline(canvas: Canvas, figure: Figure, cloth: Fabric, random: Random) -> None:
    """Round, deep or V: skin shows again."""
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


def paint_dress(canvas: Canvas, figure: Figure, random: Random) -> None:
    """From slip to gown, with or without sleeves."""
    u = figure.unit
    cloth = draw_fabric(random, DRESSES, quiet=0.25, sheen=float(random.choice([0.1, 0.1, 0.6])))
    outline, folds = _bell(
        figure, float(random.uniform(0.8, 3.4)), float(random.choice([0.66, 0.9, 1.1])), 5
    )
    sleeve = float(random.choice([0.0, 0.0, 0.4, 1.0, 1.85]))
    sleeves = [figure.arm(s, sleeve, (0.26, 0.24, 0.22, 0.21, 0.2)) for s in "lr"] if sleeve else []
    canvas.paint([figure.torso(0.3, ease=0.03), outline, *sleeves], cloth, ID["dress"], folds=folds)
    _neckline(canvas, figure, cloth, random)
    if random.random() < 0.5:
        waist = figure["waist"]
        seam = smooth(
            [waist + (-0.47 * u, 0), waist + (0, 0.06 * u), waist + (0.47 * u, 0)], closed=False
        )
        canvas.line(seam, cloth.base * 0.7, 2)


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


def paint_footwear(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Sneakers, flats or heels: a pair."""
    u = figure.unit
    kind = int(random.integers(3))
    cloth = draw_fabric(
        random, ("plain", "plain", "leopard"), quiet=0.6, sheen=0.1 if kind == 0 else 0.6
    )
    shapes, soles = [], []
    for side, sign in (("l", -1), ("r", 1)):
        ankle = figure[f"ankle_{side}"]
        toe = ankle + (sign * 0.16 * u, (0.5 if kind == 2 else 0.44) * u)
        mouth = -0.1 if kind == 0 else 0.12
        shapes.append(
            smooth(
                [
                    ankle + (-0.15 * u, mouth * u),
                    ankle + (0.15 * u, mouth * u),
                    toe + (0.2 * u, -0.06 * u),
                    toe + (0.1 * u, 0.06 * u),
                    toe + (-0.16 * u, 0.06 * u),
                    toe + (-0.2 * u, -0.1 * u),
                ]
            )
        )
        soles.append((ankle, toe))
    canvas.paint(shapes, cloth, ID["footwear"], shadow=0.4)
    for ankle, toe in soles:
        if kind == 0:
            sole = smooth(
                [
                    toe + (-0.2 * u, 0.0),
                    toe + (0, 0.1 * u),
                    toe + (0.2 * u, 0.0),
                    toe + (0.1 * u, 0.1 * u),
                    toe + (-0.12 * u, 0.1 * u),
                ]
            )
            canvas.paint(
                [sole],
                Fabric(
                    np.array([240, 238, 232], np.float32), np.array([200, 200, 196], np.float32)
                ),
                ID["footwear"],
                shadow=0.0,
            )
            for t in (0.25, 0.4, 0.55):
                lace = ankle + (toe - ankle) * t
                canvas.line(
                    np.array([lace + (-0.08 * u, 0), lace + (0.08 * u, -0.03 * u)]),
                    (236, 234, 228),
                    2,
                )


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
    sign = -1 if side == "l" else 1
    half, tall = float(random.uniform(0.34, 0.62)) * u, float(random.uniform(0.5, 0.95)) * u
    if kind == 0:  # held
        top = figure[f"wrist_{side}"] + (0, 0.55 * u)
        straps = [
            smooth(
                [
                    top + (-half * 0.5, 0),
                    figure[f"wrist_{side}"] + (0, 0.16 * u),
                    top + (half * 0.5, 0),
                ],
                closed=False,
            )
        ]
    else:
        top = figure["hip"] + (sign * 0.72 * u, -0.45 * u if kind == 1 else -0.1 * u)
        shoulder = (
            figure[f"shoulder_{side}"]
            if kind == 1
            else figure["shoulder_r" if side == "l" else "shoulder_l"]
        )
        straps = [
            smooth(
                [
                    top + (-half * 0.6 * sign, 0),
                    figure.between("chest", "waist", 0.2) + (sign * 0.3 * u, 0)
                    if kind == 2
                    else shoulder + (sign * 0.08 * u, 1.2 * u),
                    shoulder + (-sign * 0.1 * u * (1 if kind == 1 else -1), -0.02 * u),
                ],
                closed=False,
            )
        ]
    for strap in straps:
        canvas.stroke(
            strap, Fabric(cloth.base * 0.75, cloth.accent), ID["bag"], max(int(u * 0.06), 2)
        )
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


def paint_scarf(canvas: Canvas, figure: Figure, random: Random) -> None:
    """A scarf around the neck with hanging ends, or a tie."""
    u, neck = figure.unit, figure["neck"]
    cloth = draw_fabric(
        random, ("plain", "tartan", "stripes", "knit", "leopard", "dots"), quiet=0.25
    )
    if random.random() < 0.25:
        knot = neck + (0, 0.22 * u)
        length = float(random.uniform(1.3, 1.7)) * u
        tie = np.array(
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
        canvas.paint([tie], cloth, ID["scarf&tie"])
        return
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
    sign = int(random.choice([-1, 1]))
    hang = neck + (sign * 0.16 * u, 0.3 * u)
    long = float(random.uniform(0.9, 2.0)) * u
    end = limb(
        [hang, hang + (sign * 0.08 * u, long * 0.5), hang + (sign * 0.04 * u, long)],
        [0.15 * u, 0.2 * u, 0.22 * u],
    )
    folds = [
        smooth(
            [neck + (-0.3 * u, 0.1 * u), neck + (0, 0.24 * u), neck + (0.3 * u, 0.08 * u)],
            closed=False,
        )
    ]
    canvas.paint([end], cloth, ID["scarf&tie"], shadow=0.4)
    canvas.paint([ring], cloth, ID["scarf&tie"], folds=folds, shadow=0.4)


def paint_headwear(canvas: Canvas, figure: Figure, random: Random) -> None:
    """A beanie, a brimmed hat, a cap or a beret."""
    u, head = figure.unit, figure.head
    kind = int(random.integers(4))
    cloth = draw_fabric(random, ("knit",) if kind == 0 else ("plain", "tweed"), quiet=0.5)
    dome = smooth(
        [
            head + (-0.44 * u, -0.22 * u),
            head + (-0.36 * u, -0.6 * u),
            head + (0, -0.8 * u),
            head + (0.36 * u, -0.6 * u),
            head + (0.44 * u, -0.22 * u),
            head + (0, -0.16 * u),
        ]
    )
    if kind == 1:
        brim = ellipse(head + (0, -0.26 * u), (0.82 * u, 0.17 * u))
        canvas.paint([brim], cloth, ID["headwear"], shadow=0.5)
        canvas.paint([dome], cloth, ID["headwear"], shadow=0.3)
        band = smooth(
            [head + (-0.43 * u, -0.34 * u), head + (0, -0.28 * u), head + (0.43 * u, -0.34 * u)],
            closed=False,
        )
        canvas.line(band, cloth.base * 0.45, max(int(u * 0.1), 2))
    elif kind == 2:
        peak = smooth(
            [
                head + (-0.4 * u, -0.26 * u),
                head + (0.4 * u, -0.26 * u),
                head + (0.46 * u, -0.1 * u),
                head + (0, -0.02 * u),
                head + (-0.46 * u, -0.1 * u),
            ]
        )
        canvas.paint([dome, peak], cloth, ID["headwear"], shadow=0.5)
    elif kind == 3:
        beret = ellipse(head + (0.12 * u, -0.52 * u), (0.62 * u, 0.26 * u), turn=0.2)
        canvas.paint([beret], cloth, ID["headwear"], shadow=0.5)
    else:
        canvas.paint([dome], cloth, ID["headwear"], shadow=0.4)


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


def paint_bare_arms(canvas: Canvas, figure: Figure, random: Random) -> None:
    """Hands lie over what is worn below."""
    skin = Fabric(figure.skin, figure.skin * 0.9, "plain", 9.0, 0.0, 0.15, int(random.integers(9)))
    paint_arms(canvas, figure, skin)


ACCESSORIES: dict[str, tuple[float, Callable[[Canvas, Figure, Random], None]]] = {
    "scarf&tie": (0.22, paint_scarf),
    "headwear": (0.28, paint_headwear),
    "sunglasses": (0.34, paint_sunglasses),
    "bag": (0.55, paint_bag),
}
"""How often each is worn, and how it is painted."""
