"""A standing figure of eight heads: its joints in a varied pose, and its body painted."""

from dataclasses import dataclass

import numpy as np

from fashionmap.sample.canvas import Canvas, Points, ellipse, limb, smooth
from fashionmap.sample.fabric import Fabric, Rgb

SKINS = np.array(
    [
        (228, 192, 168),
        (216, 174, 144),
        (200, 152, 118),
        (180, 128, 92),
        (134, 90, 64),
        (88, 60, 46),
    ],
    np.float32,
)
HAIRS = np.array(
    [
        (28, 22, 20),
        (62, 42, 30),
        (104, 70, 42),
        (150, 108, 62),
        (206, 170, 112),
        (140, 62, 34),
        (150, 148, 146),
    ],
    np.float32,
)
SKIN_LABEL = 14


@dataclass(frozen=True)
class Figure:
    """Joints in pixels, and how the person looks.

    Attributes:
        unit: Height of the head; the figure is about eight of it.
        joints: Name to float64 (2,): ``neck``, ``chest``, ``waist``, ``hip``, and with ``_l`` and
            ``_r`` ``shoulder``, ``elbow``, ``wrist``, ``hipside``, ``knee``, ``ankle``.
        head: Middle of the head.
        build: Breadth, 1 is slim.
        skin: RGB.
        hair: RGB.
        hair_style: Index of the hair's cut.
    """

    unit: float
    joints: dict[str, Points]
    head: Points
    build: float
    skin: Rgb
    hair: Rgb
    hair_style: int

    def __getitem__(self, name: str) -> Points:
        return self.joints[name]

    def between(self, one: str, two: str, share: float) -> Points:
        """A point on the way from one joint to another."""
        return self[one] + (self[two] - self[one]) * share

    def torso(self, low: float, *, ease: float = 0.0) -> Points:
        """Outline of the trunk from shoulders down to ``low``: 0 waist, 1 hip, 2 mid thigh.

        ``ease`` widens it, in heads.
        """
        u = self.unit
        slack = ease * u
        down = self["hip"] - self["waist"]
        at = self["waist"] + down * low
        half = u * (0.47 + 0.17 * min(low, 1)) * self.build + slack
        sl, sr = self["shoulder_l"], self["shoulder_r"]
        waist = u * 0.47 * self.build + slack
        neck = self["neck"]
        return smooth(
            [
                neck + (-0.2 * u, 0.02 * u),
                sl + (-slack * 0.6, -0.03 * u),
                self["waist"] + (-waist - 0.06 * u, -1.0 * u),
                self["waist"] + (-waist, 0),
                at + (-half, 0),
                at + (0, 0.04 * u),
                at + (half, 0),
                self["waist"] + (waist, 0),
                self["waist"] + (waist + 0.06 * u, -1.0 * u),
                sr + (slack * 0.6, -0.03 * u),
                neck + (0.2 * u, 0.02 * u),
                neck + (0, 0.16 * u),
            ]
        )

    def leg(self, side: str, start: float, end: float, widths: tuple[float, ...]) -> Points:
        """Outline of a leg's covering from ``start`` to ``end``: 0 hip, 1 knee, 2 ankle."""
        spine = [self._leg_at(side, t) for t in np.linspace(start, end, 5)]
        return limb(spine, [w * self.unit * self.build for w in widths])

    def arm(self, side: str, end: float, widths: tuple[float, ...]) -> Points:
        """Outline of an arm's covering from the shoulder to ``end``: 1 elbow, 2 wrist."""
        joint = self[f"shoulder_{side}"]
        inside = joint + (self["chest"] - joint) * 0.28
        spine = [inside, *(self.arm_at(side, t) for t in np.linspace(0.06, end, 5))]
        return limb(spine, [w * self.unit * self.build for w in (widths[0], *widths)])

    def arm_at(self, side: str, t: float) -> Points:
        """A point on the arm: 0 shoulder, 1 elbow, 2 wrist."""
        if t <= 1:
            return self.between(f"shoulder_{side}", f"elbow_{side}", t)
        return self.between(f"elbow_{side}", f"wrist_{side}", t - 1)

    def _leg_at(self, side: str, t: float) -> Points:
        if t <= 1:
            return self.between(f"hipside_{side}", f"knee_{side}", t)
        return self.between(f"knee_{side}", f"ankle_{side}", t - 1)


def draw_figure(random: np.random.Generator, height: int, width: int) -> Figure:
    """A person somewhere near the middle of a picture."""
    tall = height * random.uniform(0.78, 0.9)
    u = tall / 8.05
    x = width * random.uniform(0.42, 0.58)
    top = (height - tall) * random.uniform(0.35, 0.75)
    sway = random.uniform(-0.14, 0.14) * u
    lean = random.uniform(-0.05, 0.05) * u
    build = float(random.uniform(0.92, 1.22))
    joints = {
        "neck": np.array([x + lean, top + 1.32 * u]),
        "chest": np.array([x + lean + sway * 0.3, top + 2.2 * u]),
        "waist": np.array([x + sway * 0.7, top + 3.05 * u]),
        "hip": np.array([x + sway, top + 3.85 * u]),
    }
    broad = random.uniform(0.78, 0.95) * u * build**0.5
    tilt = sway * 0.25
    for side, sign in (("l", -1), ("r", 1)):
        joints[f"shoulder_{side}"] = joints["neck"] + (sign * broad, 0.3 * u + sign * tilt)
        joints.update(_arm(random, joints[f"shoulder_{side}"], side, sign, u))
        joints.update(_leg(random, joints["hip"], side, sign, u, build, top))
    return Figure(
        unit=u,
        joints=joints,
        head=np.array([x + lean * 1.4, top + 0.55 * u]),
        build=build,
        skin=SKINS[random.integers(len(SKINS))] + random.normal(0, 4, 3).astype(np.float32),
        hair=HAIRS[random.integers(len(HAIRS))] + random.normal(0, 6, 3).astype(np.float32),
        hair_style=int(random.integers(5)),
    )


def _arm(
    random: np.random.Generator, shoulder: Points, side: str, sign: int, u: float
) -> dict[str, Points]:
    """Hanging, in the pocket, on the hip, or bent before the body."""
    away, back = [(0.2, 0.1), (0.35, -0.18), (0.62, -0.55), (0.28, -0.42)][random.integers(4)]
    upper, lower = away + random.uniform(-0.1, 0.1), back + random.uniform(-0.1, 0.1)
    elbow = shoulder + (sign * np.sin(upper) * 1.35 * u, np.cos(upper) * 1.35 * u)
    wrist = elbow + (sign * np.sin(lower) * 1.2 * u, np.cos(lower) * 1.2 * u)
    return {f"elbow_{side}": elbow, f"wrist_{side}": wrist}


def _leg(
    random: np.random.Generator,
    hip: Points,
    side: str,
    sign: int,
    u: float,
    build: float,
    top: float,
) -> dict[str, Points]:
    spread = random.uniform(0.0, 0.22)
    start = hip + (sign * 0.32 * u * build, 0.05 * u)
    knee = start + (sign * spread * 0.6 * u, 1.95 * u)
    ankle = np.array(
        [knee[0] + sign * (spread - 0.06) * u, top + 7.55 * u + random.uniform(-0.1, 0.1) * u]
    )
    return {f"hipside_{side}": start, f"knee_{side}": knee, f"ankle_{side}": ankle}


def paint_body(canvas: Canvas, figure: Figure) -> None:
    """Legs, trunk, arms, neck and head."""
    skin = Fabric(figure.skin, figure.skin * 0.9, "plain", 9.0, 0.0, 0.15, 3)
    legs = [figure.leg(s, 0, 2, (0.4, 0.36, 0.24, 0.25, 0.12)) for s in "lr"]
    feet = [
        limb(
            [
                figure[f"ankle_{s}"],
                figure[f"ankle_{s}"] + (sign * 0.14 * figure.unit, 0.42 * figure.unit),
            ],
            [0.14 * figure.unit, 0.16 * figure.unit],
        )
        for s, sign in (("l", -1), ("r", 1))
    ]
    canvas.paint([*legs, *feet], skin, SKIN_LABEL)
    canvas.paint([figure.torso(1.0)], skin, SKIN_LABEL, shadow=0.1)
    paint_arms(canvas, figure, skin)


def paint_arms(canvas: Canvas, figure: Figure, skin: Fabric) -> None:
    """Both arms with their hands."""
    u = figure.unit
    for side in "lr":
        arm = figure.arm(side, 2, (0.2, 0.17, 0.15, 0.14, 0.1))
        along = figure[f"wrist_{side}"] - figure[f"elbow_{side}"]
        along = along / (np.linalg.norm(along) + 1e-9)
        palm = figure[f"wrist_{side}"] + along * 0.2 * u
        turn = float(np.arctan2(along[1], along[0]))
        canvas.paint([arm, ellipse(palm, (0.25 * u, 0.12 * u), turn=turn)], skin, SKIN_LABEL)


def paint_head(canvas: Canvas, figure: Figure) -> None:
    """Neck, hair and face."""
    u, head = figure.unit, figure.head
    skin = Fabric(figure.skin, figure.skin * 0.9, "plain", 9.0, 0.0, 0.15, 5)
    hair = Fabric(
        np.clip(figure.hair, 6, 240), figure.hair * 0.55 + 10, "stripes", 3.4, 1.5, 0.5, 7
    )
    style = figure.hair_style
    if style in (1, 3):  # long, falling behind the shoulders
        drop = 1.15 if style == 1 else 0.75
        canvas.paint(
            [
                smooth(
                    [
                        head + (-0.46 * u, -0.3 * u),
                        head + (0, -0.66 * u),
                        head + (0.46 * u, -0.3 * u),
                        head + (0.56 * u, drop * u),
                        head + (0.2 * u, (drop + 0.1) * u),
                        head + (-0.2 * u, (drop + 0.1) * u),
                        head + (-0.56 * u, drop * u),
                    ]
                )
            ],
            hair,
            SKIN_LABEL,
        )
    canvas.paint(
        [limb([head + (0, 0.2 * u), figure["neck"] + (0, 0.12 * u)], [0.19 * u, 0.21 * u])],
        skin,
        SKIN_LABEL,
    )
    canvas.paint(
        [
            smooth(
                [
                    head + (-0.36 * u, -0.2 * u),
                    head + (0, -0.54 * u),
                    head + (0.36 * u, -0.2 * u),
                    head + (0.31 * u, 0.22 * u),
                    head + (0.1 * u, 0.5 * u),
                    head + (-0.1 * u, 0.5 * u),
                    head + (-0.31 * u, 0.22 * u),
                ]
            )
        ],
        skin,
        SKIN_LABEL,
        shadow=0.25,
    )
    _paint_face(canvas, figure)
    _paint_fringe(canvas, figure, hair)


def _paint_face(canvas: Canvas, figure: Figure) -> None:
    u, head = figure.unit, figure.head
    dark = figure.skin * 0.45
    for sign in (-1, 1):
        eye = head + (sign * 0.15 * u, 0.0)
        canvas.line(
            smooth(
                [eye + (-0.08 * u, 0), eye + (0, -0.035 * u), eye + (0.08 * u, 0)], closed=False
            ),
            (40, 32, 30),
            max(int(u / 26), 1),
        )
        canvas.line(
            smooth(
                [eye + (-0.1 * u, -0.1 * u), eye + (0, -0.14 * u), eye + (0.1 * u, -0.11 * u)],
                closed=False,
            ),
            figure.hair * 0.7,
            max(int(u / 30), 1),
        )
    canvas.line(
        smooth(
            [head + (0.02 * u, 0.02 * u), head + (0.05 * u, 0.16 * u), head + (0, 0.18 * u)],
            closed=False,
        ),
        dark * 1.4,
        1,
    )
    lips = head + (0, 0.31 * u)
    canvas.line(
        smooth([lips + (-0.11 * u, 0), lips + (0, 0.03 * u), lips + (0.11 * u, 0)], closed=False),
        (168, 74, 78),
        max(int(u / 22), 2),
    )


def _paint_fringe(canvas: Canvas, figure: Figure, hair: Fabric) -> None:
    u, head, style = figure.unit, figure.head, figure.hair_style
    part = (-0.14 if style % 2 else 0.16) * u
    crown = [
        head + (-0.41 * u, 0.02 * u),
        head + (-0.4 * u, -0.36 * u),
        head + (0, -0.66 * u),
        head + (0.4 * u, -0.36 * u),
        head + (0.41 * u, 0.02 * u),
        head + (0.3 * u, -0.24 * u),
        head + (part, -0.36 * u),
        head + (-0.3 * u, -0.2 * u),
    ]
    shapes = [smooth(crown)]
    if style == 2:  # a bob
        for sign in (-1, 1):
            shapes.append(
                smooth(
                    [
                        head + (sign * 0.33 * u, -0.3 * u),
                        head + (sign * 0.5 * u, 0.1 * u),
                        head + (sign * 0.46 * u, 0.52 * u),
                        head + (sign * 0.3 * u, 0.5 * u),
                        head + (sign * 0.33 * u, 0.1 * u),
                    ]
                )
            )
    if style == 4:  # a bun
        shapes.append(ellipse(head + (0.05 * u, -0.74 * u), (0.22 * u, 0.19 * u)))
    canvas.paint(shapes, hair, SKIN_LABEL, shadow=0.2)
