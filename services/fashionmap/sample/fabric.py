"""Fabrics: a base colour, a pattern, a sheen."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.float32]

COLOURS = np.array(
    [
        *((24, 24, 27), (44, 46, 52), (92, 94, 98), (168, 169, 168), (240, 238, 232)),
        *((226, 212, 186), (196, 164, 124), (158, 112, 66), (98, 66, 46), (58, 40, 34)),
        *((172, 38, 44), (112, 26, 44), (222, 108, 88), (224, 134, 52), (208, 166, 58)),
        *((236, 210, 104), (116, 114, 66), (66, 106, 74), (34, 66, 56), (160, 204, 186)),
        *((52, 124, 136), (162, 192, 222), (78, 112, 156), (44, 82, 160), (30, 42, 76)),
        *((104, 70, 134), (182, 162, 206), (230, 170, 182), (196, 74, 122), (244, 226, 222)),
    ],
    dtype=np.float32,
)
"""Clothes' colours, RGB in 0..255."""
QUIET = np.array([0, 1, 2, 3, 4, 5, 6, 8, 9, 24, 22])
"""Rows of ``COLOURS`` that go with everything."""


@dataclass(frozen=True)
class Fabric:
    """What a garment is made of.

    Attributes:
        base: RGB float32 (3,) in 0..255.
        accent: RGB of the pattern.
        pattern: A key of ``PATTERNS``.
        scale: Pixels of one repeat.
        angle: Turn of the pattern in radians.
        sheen: 0 matt to 1 patent leather.
        seed: Of what is random in the pattern.
    """

    base: Rgb
    accent: Rgb
    pattern: str = "plain"
    scale: float = 14.0
    angle: float = 0.0
    sheen: float = 0.1
    seed: int = 0

    def render(self, height: int, width: int) -> Rgb:
        """Float32 (height, width, 3) in 0..255, before light and shade."""
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        turn, lean = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        u, v = (x * turn + y * lean) / self.scale, (y * turn - x * lean) / self.scale
        amount = PATTERNS[self.pattern](u, v, np.random.default_rng(self.seed))
        return self.base + amount[..., None] * (self.accent - self.base)


def _plain(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    return _noise(u.shape, random) * 0.06


def _stripes(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    return _edge(np.abs((v % 1) - 0.5) - random.uniform(0.15, 0.3))


def _pinstripes(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    return _edge(np.abs((u % 1) - 0.5) - 0.06) * 0.7


def _checks(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    across = _edge(np.abs((u % 1) - 0.5) - 0.25)
    along = _edge(np.abs((v % 1) - 0.5) - 0.25)
    return (across + along) * 0.5


def _tartan(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    wide = _checks(u * 0.5, v * 0.5, random) * 0.6
    thin = np.maximum(_edge(np.abs((u % 1) - 0.5) - 0.05), _edge(np.abs((v % 1) - 0.5) - 0.05))
    return np.minimum(wide + thin * 0.4, 1)


def _dots(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    row = np.floor(v)
    du, dv = (u + 0.5 * (row % 2)) % 1 - 0.5, v % 1 - 0.5
    return _edge(np.hypot(du, dv) - 0.24)


def _flowers(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    cell_u, cell_v = np.floor(u * 0.7), np.floor(v * 0.7)
    jump = np.sin(cell_u * 12.9898 + cell_v * 78.233) * 43758.5453 % 1
    du = u * 0.7 % 1 - 0.5 + (jump - 0.5) * 0.4
    dv = v * 0.7 % 1 - 0.5 + ((jump * 7 % 1) - 0.5) * 0.4
    angle = np.arctan2(dv, du) + jump * 6
    return _edge(np.hypot(du, dv) - 0.2 - 0.1 * np.cos(5 * angle))


def _denim(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    twill = ((u + v) * 5 % 1 < 0.5).astype(np.float32) * 0.1
    woven: Rgb = (twill + _noise(u.shape, random) * 0.22 + 0.05).astype(np.float32)
    return woven


def _knit(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    ribs = 0.5 + 0.5 * np.cos(2 * np.pi * u * 2.2)
    loops = 0.5 + 0.5 * np.cos(2 * np.pi * (v * 4 + 0.5 * np.abs((u * 2.2 % 1) - 0.5)))
    knitted: Rgb = (0.22 * ribs + 0.1 * loops).astype(np.float32)
    return knitted


def _tweed(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    return np.clip(random.normal(0.25, 0.18, u.shape), 0, 1).astype(np.float32)


def _leopard(u: Rgb, v: Rgb, random: np.random.Generator) -> Rgb:
    spots = _noise(u.shape, random, cell=7)
    return _edge(np.abs(spots - 0.62) - 0.07)


PATTERNS: dict[str, Callable[[Rgb, Rgb, np.random.Generator], Rgb]] = {
    "plain": _plain,
    "stripes": _stripes,
    "pinstripes": _pinstripes,
    "checks": _checks,
    "tartan": _tartan,
    "dots": _dots,
    "flowers": _flowers,
    "denim": _denim,
    "knit": _knit,
    "tweed": _tweed,
    "leopard": _leopard,
}
"""Share of the accent colour, float32 in 0..1, over pattern coordinates."""


def draw_fabric(
    random: np.random.Generator,
    patterns: tuple[str, ...],
    *,
    quiet: float = 0.5,
    sheen: float = 0.1,
) -> Fabric:
    """A fabric of one of these patterns in colours that go together."""
    base = _colour(random, quiet)
    accent = _colour(random, 0.8)
    pattern = patterns[random.integers(len(patterns))]
    if np.abs(accent - base).sum() < 110:
        accent = base * 0.55 if base.mean() > 110 else base + 70
    if pattern in ("plain", "knit", "denim", "tweed"):
        accent = base * 0.6 if base.mean() > 60 else base + 60
    scale = float(random.uniform(8, 26))
    angle = float(random.choice([0.0, 0.0, 0.0, np.pi / 2, 0.6])) if pattern == "stripes" else 0.0
    seed = int(random.integers(1 << 30))
    return Fabric(base, accent, pattern, scale, angle, sheen, seed)


def denim(random: np.random.Generator) -> Fabric:
    """Jeans from raw to washed."""
    base = np.array([[42, 54, 84], [70, 94, 134], [118, 146, 184], [32, 34, 44]], np.float32)
    chosen = base[random.integers(4)]
    return Fabric(chosen, chosen + 60, "denim", 6.0, 0.0, 0.0, int(random.integers(1 << 30)))


def _colour(random: np.random.Generator, quiet: float) -> Rgb:
    rows = QUIET if random.random() < quiet else np.arange(len(COLOURS))
    shade = COLOURS[rows[random.integers(len(rows))]] + random.normal(0, 7, 3)
    chosen: Rgb = np.clip(shade, 8, 250).astype(np.float32)
    return chosen


def _edge(distance: Rgb) -> Rgb:
    """1 inside (negative), 0 outside, soft over the border."""
    soft: Rgb = np.clip(0.5 - distance * 14, 0, 1).astype(np.float32)
    return soft


def _noise(shape: tuple[int, ...], random: np.random.Generator, *, cell: int = 3) -> Rgb:
    """Smooth noise in 0..1."""
    rough = random.random((shape[0] // cell + 2, shape[1] // cell + 2)).astype(np.float32)
    smooth: Rgb = cv2.resize(rough, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)  # type: ignore[assignment]
    return smooth
