"""The table of an embedder: accuracy by category, other views found, colours, products found."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fashionmap.adapters.weights import read_weights
from fashionmap.embedding.colours import dominant_colours
from fashionmap.training.datasets.folders import FOLDERS
from fashionmap.training.embedder.items import FLAT, Item, view
from fashionmap.training.embedder.measure import (
    accuracy_among,
    neighbour_accuracy,
    neighbour_colour_difference,
    top_k_accuracy,
    view_recall,
)
from fashionmap.training.embedder.trainer import initial_network, raw_features

Embed = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]
CHUNK, PLAIN_SIDE = 32, 224
DEEP = slice(96, 96 + 1280)
"""MobileNetV2's own pooled features among those of our network."""
TOPS = (1, 5, 10, 20)


def plain_features(init: Path, *, device: str = "cpu") -> Embed:
    """ImageNet's MobileNetV2 as it is: 1,280 pooled features at 224 px, of length 1."""
    network = initial_network(read_weights(init), 256).to(device)

    def embed(cutouts: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        features = raw_features(network, cutouts, PLAIN_SIDE)[:, DEEP]
        length = np.linalg.norm(features, axis=1, keepdims=True)
        result: NDArray[np.float32] = (features / np.maximum(length, 1e-12)).astype(np.float32)
        return result

    return embed


def vectors_of(items: Sequence[Item], embed: Embed) -> NDArray[np.float32]:
    """float32 (n, d); pixels are read in chunks."""
    chunks = [items[i : i + CHUNK] for i in range(0, len(items), CHUNK)]
    return np.concatenate([embed([item.cutout for item in chunk]) for chunk in chunks])


def views_of(items: Sequence[Item], embed: Embed, *, seed: int) -> NDArray[np.float32]:
    """Vectors of another view of each garment; the same views for equal seeds."""
    rows = []
    for first in range(0, len(items), CHUNK):
        chunk = items[first : first + CHUNK]
        randoms = [np.random.default_rng((seed, first + i)) for i in range(len(chunk))]
        pairs = zip(chunk, randoms, strict=True)
        rows.append(embed([view(item.cutout, random) for item, random in pairs]))
    return np.concatenate(rows)


def leading_lab(items: Sequence[Item]) -> NDArray[np.float32]:
    """CIELAB float32 (n, 3) of each garment's leading colour."""
    names = [dominant_colours(item.cutout)[0] for item in items]
    rgb = np.array(
        [[int(n[0][i : i + 2], 16) for i in (1, 3, 5)] if n else (0,) * 3 for n in names]
    )
    lab = cv2.cvtColor(rgb.astype(np.float32)[None] / 255, cv2.COLOR_RGB2LAB)
    result: NDArray[np.float32] = np.asarray(lab[0], dtype=np.float32)
    return result


def kinds_and_colours(
    known: Sequence[Item], queries: Sequence[Item], embed: Embed
) -> dict[str, float]:
    """5-neighbour accuracy of queries among known garments, and CIEDE2000 among the queries."""
    own, others = vectors_of(queries, embed), vectors_of(known, embed)
    figures = {}
    for suffix, names in _namings([i.label for i in queries], [i.label for i in known]).items():
        truth, labels = names
        figures[f"5-neighbour accuracy{suffix}"] = neighbour_accuracy(own, truth, others, labels)
        figures[f"… among each other{suffix}"] = accuracy_among(own, truth)
    figures["CIEDE2000 of neighbours"] = neighbour_colour_difference(own, leading_lab(queries))
    return figures


def _namings(
    truth: Sequence[str], labels: Sequence[str]
) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    """Categories as the folders are named, and, where all are known, as ModaNet names them."""
    own = {"": (truth, labels)}
    kinds = {name: name.removeprefix(FLAT) for name in {*truth, *labels}}
    if not all(kind in FOLDERS for kind in kinds.values()):
        return own
    translated = [[FOLDERS[kinds[name]] for name in names] for names in (truth, labels)]
    return {**own, ", ModaNet's names": (translated[0], translated[1])}


def other_views(items: Sequence[Item], embed: Embed, *, count: int, seed: int) -> dict[str, float]:
    """Share of garments whose other view is the nearest among so many, chosen by the seed."""
    order = np.random.default_rng(seed).permutation(len(items))[:count]
    some = [items[i] for i in sorted(order.tolist())]
    recall = view_recall(vectors_of(some, embed), views_of(some, embed, seed=seed))
    return {f"other view among {len(some):,}": recall}


def consumer_to_shop(items: Sequence[Item], embed: Embed) -> dict[str, float]:
    """Share of users' garments whose product is among the nearest k of all shops' (DeepFashion2).

    Queries are users' garments with a product that a shop has; the gallery is every shop garment
    with a product. Cut-outs are by true masks; published figures are with detected boxes.
    """
    shop = [i for i in items if i.source == "shop" and i.pair]
    sold = {i.pair for i in shop}
    asked = [i for i in items if i.source == "user" and i.pair in sold]
    if not asked:
        return {}
    with torch.inference_mode():
        gallery, queries = vectors_of(shop, embed), vectors_of(asked, embed)
    pairs = [i.pair for i in asked], [i.pair for i in shop]
    found = top_k_accuracy(queries, pairs[0], gallery, pairs[1], counts=TOPS)
    return {f"consumer-to-shop top-{k}": share for k, share in found.items()}
