"""A second opinion on names: each found garment, seen by itself.

The segmenter names a garment from 7 x 7 cells of features that it shares with finding and cutting.
A small network of its own sees the garment's pixels instead, what lies around it faded, and both
judge together: decoupled classification refinement (Cheng et al. 2018, arXiv 1803.06799).
"""

import math
from collections.abc import Mapping

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashionmap.adapters.folded import POOLED, mobilenet_blocks, pooled_twice
from fashionmap.adapters.fused import can_fuse, fused
from fashionmap.segmentation.closer import Raw

PREFIX = "names."
"""Begins the names of the naming network's weights in a segmenter's file."""
SIDE = 96
"""Pixels of a square that shows one garment."""
MARGIN = 0.2
"""Share of a garment's longer side that is shown around it, both ends together."""
FADED = 0.6
"""How far what lies around a garment is faded to grey."""
WEIGHT = 0.2
"""Share of the second opinion in the geometric mean of both."""
LIKELY, SURE = 0.25, 0.97
"""Scores between which a garment is looked at by itself."""
UNSEEN = 0.5
"""The opinion on what is less likely. On what is sure it is 1."""
OTHER, LESS = 0.1, 0.5
"""Least opinion on another name to give that as well, and by how much less it counts."""


class NamingNetwork(nn.Module):
    """MobileNetV2 (arXiv 1801.04381) without batch norms, pooled at two depths.

    Input: float (n, 3, side, side) of ``pictures_of``. Output: float32 (n, 1 + labels), logits of
    nothing at all and of each label from 1.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.blocks = mobilenet_blocks()
        self.name = nn.Linear(POOLED, 1 + labels)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.name(self.features(pictures))
        return logits

    def features(self, pictures: Tensor) -> Tensor:
        """Pooled features, float32 (n, 1376)."""
        return pooled_twice(self.blocks, pictures)


class SecondOpinion:
    """Judges the names of what a segmenter found on a photo.

    Args:
        network: Of the segmenter's labels.
        device: Where it computes.
        dtype: What it computes in.
        person: Label that is no garment; 0 for none.
        mirror: Whether to look at each garment's mirror image as well, and take the mean.
    """

    def __init__(
        self,
        network: NamingNetwork,
        *,
        device: torch.device,
        dtype: torch.dtype,
        person: int,
        mirror: bool = False,
    ) -> None:
        network = network.eval().to(device)
        network.blocks.to(dtype)
        self._network = network.to(memory_format=torch.channels_last)
        if can_fuse(device):
            self._network = fused(self._network)  # type: ignore[assignment]
        self._device, self._dtype = device, dtype
        self._person, self._mirror = person, mirror

    def __call__(self, photo: NDArray[np.uint8], raw: Raw) -> Raw:
        """The same garments with new scores, and with a second name where that may be the one.

        Args:
            photo: uint8 RGB (height, width, 3).
            raw: What was found on it, boxes in its pixels.
        """
        labels = raw["labels"].astype(np.int64)
        worn = labels != self._person
        scores = raw["scores"]
        seen = np.flatnonzero(worn & (scores >= LIKELY) & (scores < SURE))
        opinions = np.zeros((len(labels), self._network.name.out_features), np.float32)
        opinions[np.arange(len(labels)), labels] = np.where(scores < LIKELY, UNSEEN, 1.0)
        if len(seen):
            opinions[seen] = self._opinions(photo, raw, seen)
        return renamed(raw, opinions, worn)

    def _opinions(
        self, photo: NDArray[np.uint8], raw: Raw, seen: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Probabilities (n, 1 + labels) of those garments."""
        squares = [by_itself(photo, raw["boxes"][i], raw["masks"][i, 0], side=SIDE) for i in seen]
        with torch.inference_mode():
            pictures = pictures_of(np.stack(squares)).to(self._device, self._dtype)
            ways = [pictures, pictures.flip(-1)] if self._mirror else [pictures]
            seen_so = torch.cat(ways).contiguous(memory_format=torch.channels_last)
            likely: Tensor = self._network(seen_so).softmax(1).unflatten(0, (len(ways), -1)).mean(0)
        found: NDArray[np.float32] = likely.cpu().numpy()
        return found


def by_itself(
    photo: NDArray[np.uint8], box: NDArray[np.float32], grid: NDArray[np.float32], *, side: int
) -> NDArray[np.uint8]:
    """A garment in the middle of a square, aspect kept, with what lies around it.

    Args:
        photo: uint8 RGB (height, width, 3).
        box: float32 x1, y1, x2, y2 in its pixels.
        grid: The mask inside the box, float32 (m, m) in [0, 1].
        side: Pixels of the square.

    Returns:
        uint8 RGBA (side, side, 4); the mask as alpha, grey outside the photo.
    """
    x1, y1, x2, y2 = (float(v) for v in box)
    reach = max(x2 - x1, y2 - y1, 1.0) * (1 + MARGIN)
    scale = side / reach
    left, top = (x1 + x2 - reach) / 2, (y1 + y2 - reach) / 2
    square = np.full((side, side, 4), 127, np.uint8)
    square[..., 3] = 0
    rows, columns = photo.shape[:2]
    part = (max(int(left), 0), max(int(top), 0), math.ceil(left + reach), math.ceil(top + reach))
    shown = photo[part[1] : part[3], part[0] : part[2]]
    ends = (min(part[2], columns) - left, min(part[3], rows) - top)
    place = _place((part[0] - left, part[1] - top, *ends), scale, side)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square[place][..., :3] = cv2.resize(shown, _size(place), interpolation=how)
    place = _place((x1 - left, y1 - top, x2 - left, y2 - top), scale, side)
    how = cv2.INTER_AREA if _size(place)[0] < grid.shape[1] else cv2.INTER_LINEAR
    cover = cv2.resize(np.asarray(grid, np.float32), _size(place), interpolation=how)
    square[place][..., 3] = np.rint(cover * 255)
    return square


def _place(box: tuple[float, float, float, float], scale: float, side: int) -> tuple[slice, slice]:
    """Rows and columns of a square, at least one of each, where a box of it lies."""
    x1, y1, x2, y2 = (min(max(round(v * scale), 0), side) for v in box)
    x1, y1 = min(x1, side - 1), min(y1, side - 1)
    return slice(y1, max(y2, y1 + 1)), slice(x1, max(x2, x1 + 1))


def _size(place: tuple[slice, slice]) -> tuple[int, int]:
    """Width and height, as OpenCV wants them."""
    rows, columns = place
    return columns.stop - columns.start, rows.stop - rows.start


def pictures_of(squares: NDArray[np.uint8]) -> Tensor:
    """What the network sees of squares uint8 (n, side, side, 4): float32 (n, 3, side, side) in
    [-1, 1], faded to grey around the garments."""
    cover = squares[..., 3:].astype(np.float32) * np.float32(FADED / 255) + np.float32(1 - FADED)
    seen = (squares[..., :3].astype(np.float32) / np.float32(127.5) - 1) * cover
    return torch.from_numpy(seen).permute(0, 3, 1, 2)


def renamed(raw: Raw, opinions: NDArray[np.float32], worn: NDArray[np.bool_]) -> Raw:
    """Both judgements of what was found, in no order.

    The score is the geometric mean of the segmenter's and of the opinion on its label. Another
    label of some likelihood is given beside it, with the same box and mask.

    Args:
        raw: What was found; what is not ``worn`` stays as it is.
        opinions: Probability of nothing and of each label, float32 (n, 1 + labels).
        worn: Which of it are garments, bool (n,).
    """
    labels, scores = raw["labels"].astype(np.int64), raw["scores"]
    own = opinions[np.arange(len(labels)), labels]
    kept = {**raw, "scores": np.where(worn, _both(scores, own), scores)}
    others = (opinions >= OTHER) & worn[:, None]
    others[:, 0] = False
    others[np.arange(len(labels)), labels] = False
    which, other = np.nonzero(others)
    opinion = opinions[which, other]
    less = LESS * opinion / (opinion + own[which])
    added = {name: values[which] for name, values in raw.items()}
    added["labels"] = other.astype(raw["labels"].dtype)
    added["scores"] = (_both(scores[which], opinion) * less).astype(np.float32)
    return {name: np.concatenate([kept[name], added[name]]) for name in raw}


def sure_before(threshold: float) -> float:
    """Least score of the segmenter's of which both together may still make the threshold."""
    return float(threshold ** (1 / (1 - WEIGHT)))


def _both(scores: NDArray[np.float32], opinions: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = scores ** (1 - WEIGHT) * opinions**WEIGHT
    return mean


def split_names(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A segmenter's own weights, and those of its naming network; none where it has none."""
    own = {name: value for name, value in tensors.items() if not name.startswith(PREFIX)}
    of_names = {n.removeprefix(PREFIX): v for n, v in tensors.items() if n.startswith(PREFIX)}
    return own, of_names


def network_of(tensors: Mapping[str, Tensor], labels: int) -> NamingNetwork:
    """The network with its weights; ``RuntimeError`` where they do not fit."""
    network = NamingNetwork(labels)
    network.load_state_dict(tensors)
    return network
