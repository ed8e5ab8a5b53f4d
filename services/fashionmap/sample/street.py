"""Where the figure stands: a wall or a street, the ground, the light."""

import cv2
import numpy as np
from numpy.typing import NDArray

SKIES = np.array([(206, 222, 236), (226, 224, 220), (240, 214, 188), (170, 196, 226)], np.float32)
WALLS = np.array(
    [
        (196, 184, 168),
        (168, 88, 70),
        (224, 220, 210),
        (122, 128, 132),
        (92, 110, 118),
        (214, 190, 150),
        (160, 170, 156),
    ],
    np.float32,
)
GROUNDS = np.array([(142, 140, 136), (168, 160, 150), (112, 112, 116), (150, 132, 116)], np.float32)


def draw_street(random: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """A background uint8 RGB (height, width, 3), drawn small and blurred as a lens would."""
    h, w = height // 2, width // 2
    picture = np.empty((h, w, 3), np.float32)
    horizon = int(h * random.uniform(0.52, 0.78))
    if random.random() < 0.45:
        _wall(picture[:horizon], random)
    else:
        _avenue(picture[:horizon], random)
    _ground(picture[horizon:], random)
    blurred = cv2.GaussianBlur(picture, (0, 0), float(random.uniform(0.6, 3.2)))
    large = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(large, 0, 255).astype(np.uint8)


def _wall(part: NDArray[np.float32], random: np.random.Generator) -> None:
    h, w = part.shape[:2]
    colour = WALLS[random.integers(len(WALLS))]
    part[:] = colour
    y, x = np.mgrid[0:h, 0:w]
    kind = random.integers(3)
    if kind == 0:  # bricks
        row = y // 7
        joint = (y % 7 == 0) | ((x + (row % 2) * 8) % 16 == 0)
        tone = np.sin(row * 12.9 + ((x + (row % 2) * 8) // 16) * 78.2) * 43758.5 % 1
        part *= (0.88 + 0.2 * tone)[..., None]
        part[joint] = part[joint] * 0.6 + 70
    elif kind == 1:  # panels
        step = int(random.integers(30, 70))
        part[(x % step < 2) | (y % (step * 2) < 2)] *= 0.75
    else:
        part += cv2.resize(
            random.normal(0, 12, (h // 8 + 1, w // 8 + 1)).astype(np.float32), (w, h)
        )[..., None]
    if random.random() < 0.5:
        _opening(part, random)
    part *= np.linspace(1.06, 0.9, w)[None, :, None]


def _opening(part: NDArray[np.float32], random: np.random.Generator) -> None:
    """A door or a shop window."""
    h, w = part.shape[:2]
    x1 = int(random.uniform(0, 0.7) * w)
    x2, y1 = min(x1 + int(random.uniform(0.2, 0.4) * w), w), int(random.uniform(0.05, 0.4) * h)
    frame = WALLS[random.integers(len(WALLS))] * 0.5
    part[y1:, x1:x2] = frame
    part[y1 + 4 :, x1 + 4 : x2 - 4] = (
        random.uniform(30, 150) + np.linspace(40, 0, max(h - y1 - 4, 1))[:, None, None]
    )


def _avenue(part: NDArray[np.float32], random: np.random.Generator) -> None:
    h, w = part.shape[:2]
    sky = SKIES[random.integers(len(SKIES))]
    part[:] = sky + np.linspace(12, -14, h)[:, None, None]
    for edge in (0, 1):
        x = 0.0
        while x < 0.46 * w:
            wide = random.uniform(0.1, 0.24) * w
            tall = h * (0.95 - x / w * random.uniform(0.7, 1.3))
            x1, x2 = (int(x), int(x + wide)) if edge == 0 else (int(w - x - wide), int(w - x))
            top = int(np.clip(h - tall, 0, h))
            colour = WALLS[random.integers(len(WALLS))] * random.uniform(0.75, 1.0)
            part[top:, max(x1, 0) : x2] = colour
            yy, xx = np.mgrid[top:h, max(x1, 0) : x2]
            panes = ((yy - top) % 16 > 6) & ((xx - x1) % 12 > 5)
            part[top:, max(x1, 0) : x2][panes] = colour * 0.55
            x += wide
    for _ in range(int(random.integers(0, 4))):
        _tree(part, random)


def _tree(part: NDArray[np.float32], random: np.random.Generator) -> None:
    h, w = part.shape[:2]
    x, y = random.uniform(0, w), random.uniform(0.3, 0.7) * h
    leaf = np.array([70, 104, 62], np.float32) * random.uniform(0.7, 1.3)
    shade = np.ascontiguousarray(part)
    cv2.line(shade, (int(x), int(y)), (int(x), h), (70, 56, 44), 4)
    for _ in range(26):
        spot = random.normal((x, y), (w * 0.07, h * 0.08))
        tone = tuple(float(c) for c in leaf * random.uniform(0.8, 1.25))
        cv2.circle(shade, (int(spot[0]), int(spot[1])), int(random.uniform(5, 14)), tone, -1)
    part[:] = shade


def _ground(part: NDArray[np.float32], random: np.random.Generator) -> None:
    h, w = part.shape[:2]
    part[:] = GROUNDS[random.integers(len(GROUNDS))] + np.linspace(-10, 16, h)[:, None, None]
    part += random.normal(0, 5, (h, w, 1)).astype(np.float32)
    if random.random() < 0.6:  # slabs in perspective
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        depth = 1 / (y + 6) * 60
        joints = (np.abs((depth * 6) % 1) < 0.06) | (np.abs(((x - w / 2) * depth / 60) % 1) < 0.03)
        part[joints] *= 0.82
