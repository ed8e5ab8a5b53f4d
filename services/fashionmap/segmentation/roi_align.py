"""RoIAlign on CPUs as weighted sums of rows: what torchvision's kernel does, several times as fast.

Every bin of a region is the mean of bilinear samples (He et al. 2017, arXiv 1703.06870), so it is a
weighted sum of a few pixels. With channels last a pixel is one row of memory, and a bin is one bag
of torch's ``embedding_bag``; the gradient is another bag over the same pairs, sorted by pixel.
torchvision's kernel walks each channel's pixels by themselves, on one core in the backward pass.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import roi_align

CANONICAL_SIDE, CANONICAL_LEVEL = 224, 4
"""A region of 224 px belongs to the level of stride 16 (arXiv 1612.03144, equation 1)."""


class PyramidRoIAlign(nn.Module):
    """RoIAlign from the level of a feature pyramid that fits a box's size.

    Args:
        strides: Of the levels, powers of two that double.
        size: Bins a side.
        ratio: Samples a bin and side.
    """

    def __init__(self, strides: tuple[int, ...], *, size: int, ratio: int) -> None:
        super().__init__()
        self.strides, self.size, self.ratio = strides, size, ratio

    def forward(self, levels: list[Tensor], boxes: list[Tensor]) -> Tensor:
        """Pools the boxes of each image.

        Args:
            levels: Float (n, c, h, w) each, by rising stride.
            boxes: Float (k, 4) an image as x1, y1, x2, y2 in pixels.

        Returns:
            Float (sum of k, c, size, size).
        """
        regions = with_image(boxes)
        fitting = self._levels(regions)
        order, parts = [], []
        for place, (features, stride) in enumerate(zip(levels, self.strides, strict=True)):
            own = torch.nonzero(fitting == place)[:, 0]
            order.append(own)
            parts.append(
                align(features, regions[own], size=self.size, stride=stride, ratio=self.ratio)
            )
        rows = torch.cat([part.permute(0, 2, 3, 1) for part in parts])  # as `align` leaves them
        return rows[torch.argsort(torch.cat(order))].permute(0, 3, 1, 2)

    def _levels(self, regions: Tensor) -> Tensor:
        sides = ((regions[:, 3] - regions[:, 1]) * (regions[:, 4] - regions[:, 2])).sqrt()
        level = torch.floor(CANONICAL_LEVEL + torch.log2(sides / CANONICAL_SIDE) + 1e-6)
        first = self.strides[0].bit_length() - 1
        return (level - first).clamp(0, len(self.strides) - 1).long()


def align(
    features: Tensor,
    regions: Tensor,
    *,
    size: int,
    stride: int,
    ratio: int,
    centred: bool = False,
) -> Tensor:
    """RoIAlign of one map.

    Args:
        features: Float (n, c, h, w).
        regions: Float (k, 5): number of the image, then x1, y1, x2, y2 in pixels.
        size: Bins a side.
        stride: Pixels a step of the map.
        ratio: Samples a bin and side.
        centred: Pixels' centres lie at whole numbers (torchvision's ``aligned``).

    Returns:
        Float (k, c, size, size).
    """
    if features.device.type != "cpu":
        pooled: Tensor = roi_align(
            features, regions.to(features.dtype), size, 1 / stride, ratio, centred
        )
        return pooled
    _, channels, height, width = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(-1, channels)
    xs, x_weights = _samples(regions[:, 1::2] / stride, size, ratio, width, centred)
    ys, y_weights = _samples(regions[:, 2::2] / stride, size, ratio, height, centred)
    first = regions[:, :1].long() * (height * width)
    pixels = (first[..., None] + ys * width)[:, :, None, :, None] + xs[:, None, :, None, :]
    weights = y_weights[:, :, None, :, None] * x_weights[:, None, :, None, :]
    bins, taken = len(regions) * size * size, (2 * ratio) ** 2
    summed: Tensor = _Bags.apply(
        rows, pixels.reshape(bins, taken), weights.reshape(bins, taken).to(rows.dtype)
    )
    return summed.view(len(regions), size, size, channels).permute(0, 3, 1, 2)


def with_image(boxes: list[Tensor]) -> Tensor:
    """Boxes (k, 4) of each image as regions (sum of k, 5), their image's number before them."""
    numbers = [b.new_full((len(b), 1), i) for i, b in enumerate(boxes)]
    return torch.cat([torch.cat(numbers), torch.cat(boxes)], dim=1)


def _samples(
    ends: Tensor, size: int, ratio: int, length: int, centred: bool
) -> tuple[Tensor, Tensor]:
    """Pixels along one axis that each bin takes, and their weights, both (k, size, 2 · ratio).

    Samples beyond one pixel outside the map count 0; those nearer count as the edge.
    """
    low, high = (ends - 0.5 if centred else ends).unbind(1)
    extent = high - low if centred else (high - low).clamp(min=1.0)
    steps = (torch.arange(size * ratio, dtype=ends.dtype) + 0.5) / (size * ratio)
    places = low[:, None] + steps * extent[:, None]
    inside = (places >= -1) & (places <= length)
    places = places.clamp(0, length - 1)
    before = places.floor()
    after = (before + 1).clamp(max=length - 1)
    share = places - before
    pixels = torch.stack([before, after], dim=-1).long()
    weights = torch.stack([1 - share, share], dim=-1) * inside[..., None] / ratio
    return pixels.view(-1, size, 2 * ratio), weights.view(-1, size, 2 * ratio)


class _Bags(torch.autograd.Function):
    """Weighted sums of rows.

    Rows float (r, c), numbers of rows int64 (b, t), weights float (b, t); gives float (b, c).
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, numbers: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(numbers, weights)
        ctx.rows = len(rows)
        return functional.embedding_bag(numbers, rows, mode="sum", per_sample_weights=weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        numbers, weights = ctx.saved_tensors
        flat = numbers.flatten()
        order = torch.argsort(flat, stable=True)
        counts = torch.bincount(flat, minlength=ctx.rows)
        summed = functional.embedding_bag(
            torch.div(order, numbers.shape[1], rounding_mode="floor"),
            gradients[0].contiguous(),
            counts.cumsum(0) - counts,
            mode="sum",
            per_sample_weights=weights.flatten()[order],
        )
        return summed, None, None
