"""Dominant colours of a cut-out: k-means in CIELAB inside the mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_COLOURS = 5
SAMPLE = 1200
APART = np.array([1.0, np.pi, np.e], np.float32)
"""Makes one number of a colour, by which colours are told apart fast."""
NEAR = 9.0
"""CIELAB distance (ΔE*76) under which two centres are one colour."""


def dominant_colours(cutout: NDArray[np.uint8]) -> tuple[list[str], list[float]]:
    """Up to five colours ``#rrggbb`` by falling share, and the shares (sum 1).

    Args:
        cutout: uint8 RGBA (height, width, 4); only pixels with alpha ≥ 128 count.
    """
    lab = _sample(cutout)
    if len(lab) < 2:  # a single row would be three numbers to OpenCV
        return [_hex(colour) for colour in lab], [1.0] * len(lab)
    k = min(MOST_COLOURS, len(np.unique(lab @ APART)))
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, labels, centres = cv2.kmeans(lab, k, None, criteria, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    shares = np.bincount(labels.ravel(), minlength=k) / len(lab)
    merged = _merge(centres, shares)
    return [_hex(centre) for centre, _ in merged], [float(share) for _, share in merged]


def _sample(cutout: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIELAB of evenly spread opaque pixels, float32 (n, 3), L in 0..100."""
    cover = cutout[..., 3]
    opaque = np.flatnonzero(cover >= 128)
    if len(opaque) == 0:
        opaque = np.flatnonzero(cover)
    if len(opaque) == 0:
        return np.zeros((0, 3), np.float32)
    spread = np.linspace(0, len(opaque) - 1, min(SAMPLE, len(opaque))).astype(int)
    chosen = cutout.reshape(-1, 4)[opaque[spread], :3]
    pixels = chosen[None].astype(np.float32) / 255
    lab: NDArray[np.float32] = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0]
    return lab


def _merge(
    centres: NDArray[np.float32], shares: NDArray[np.float64]
) -> list[tuple[NDArray[np.float32], float]]:
    kept: list[tuple[NDArray[np.float32], float]] = []
    for index in np.argsort(-shares, kind="stable"):
        centre, share = centres[index], float(shares[index])
        near = [i for i, (c, _) in enumerate(kept) if np.linalg.norm(c - centre) < NEAR]
        if near:
            kept[near[0]] = (kept[near[0]][0], kept[near[0]][1] + share)
        else:
            kept.append((centre, share))
    return sorted(kept, key=lambda pair: -pair[1])


def _hex(lab: NDArray[np.float32]) -> str:
    rgb = cv2.cvtColor(lab.reshape(1, 1, 3), cv2.COLOR_LAB2RGB)[0, 0]
    r, g, b = (int(v) for v in np.clip(np.rint(rgb * 255), 0, 255))
    return f"#{r:02x}{g:02x}{b:02x}"
