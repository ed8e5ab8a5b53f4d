"""RoIAlign on CPUs as weighted sums of rows: what torchvision's kernel does, several times as fast.

Every bin of a region is the mean of bilinear samples (He et al. 2017, arXiv 1703.06870), so it is a
weighted sum of a few pixels. With channels last a pixel is one row of memory, and a bin is one bag
of torch's ``embedding_bag``; the gradient is another bag over the same pairs, sorted by pixel.
torchvision's kernel walks each channel's pixels by themselves, on one core in the backward pass.
"""

from dataclasses import dataclass
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
        grid = Grid(self.strides, size=self.size, ratio=self.ratio)
        return pooled(levels, regions, self._levels(regions), grid)

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
    grid = Grid((stride,), size=size, ratio=ratio, centred=centred)
    return pooled([features], regions, torch.zeros_like(regions[:, 0]).long(), grid)


@dataclass(frozen=True)
class Grid:
    """What is sampled in a region.

    Attributes:
        strides: Pixels a step of each map.
        size: Bins a side.
        ratio: Samples a bin and side.
        centred: Pixels' centres lie at whole numbers (torchvision's ``aligned``).
    """

    strides: tuple[int, ...]
    size: int
    ratio: int
    centred: bool = False


def pooled(maps: list[Tensor], regions: Tensor, level: Tensor, grid: Grid) -> Tensor:
    """RoIAlign of regions float (k, 5), each of the map whose number int64 (k,) says.

    Returns:
        Float (k, c, size, size), in the maps' precision.
    """
    if maps[0].device.type != "cpu":
        return pooled_by_level(maps, regions, level, grid)
    count, channels = maps[0].shape[:2]
    rows = torch.cat([m.permute(0, 2, 3, 1).reshape(-1, channels) for m in maps])
    shapes = torch.tensor([(m.shape[3], m.shape[2]) for m in maps], dtype=torch.int32)
    areas = shapes.prod(1, dtype=torch.int32)
    starts = torch.cumsum(areas * count, 0, dtype=torch.int32) - areas * count
    lengths, strides = shapes[level], regions.new_tensor(grid.strides)[level]
    places, shares = _samples(
        regions[:, 1:].reshape(len(regions), 2, 2) / strides[:, None, None], lengths, grid
    )
    first = starts[level] + regions[:, 0].int() * areas[level]
    ys = places[:, 1] * lengths[:, :1, None] + first[:, None, None]
    down, across = _paired(ys, places[:, 0])
    weights = torch.mul(*_paired(shares[:, 1], shares[:, 0]))
    summed: Tensor = _Bags.apply(rows, (down + across).flatten(0, 2), weights.flatten(0, 2))
    return summed.view(len(regions), grid.size, grid.size, channels).permute(0, 3, 1, 2)


def pooled_by_level(maps: list[Tensor], regions: Tensor, level: Tensor, grid: Grid) -> Tensor:
    """What ``pooled`` does, by torchvision's kernel."""
    done = maps[0].new_zeros(len(regions), maps[0].shape[1], grid.size, grid.size)
    for place, (features, stride) in enumerate(zip(maps, grid.strides, strict=True)):
        own = torch.nonzero(level == place)[:, 0]
        part = roi_align(
            features.float(), regions[own], grid.size, 1 / stride, grid.ratio, grid.centred
        )
        done = done.index_copy(0, own, part.to(done.dtype))
    return done


def sampled(maps: Tensor, regions: Tensor, *, size: int, stride: int) -> Tensor:
    """RoIAlign of one map a region, one sample a bin, pixels' centres at whole numbers.

    With so many bins of one channel it is two products with matrices of few weights.

    Args:
        maps: Float (k, h, w).
        regions: Float (k, 4) as x1, y1, x2, y2 in pixels.
        size: Bins a side.
        stride: Pixels a step of the maps.

    Returns:
        Float (k, size, size).
    """
    lengths = torch.tensor([[maps.shape[2], maps.shape[1]]], device=maps.device)
    grid = Grid((stride,), size=size, ratio=1, centred=True)
    places, shares = _samples(regions.reshape(len(regions), 2, 2) / stride, lengths, grid)
    x, y = (
        shares.new_zeros(len(maps), size, length).scatter_add_(2, pixels.long(), weights)
        for length, pixels, weights in zip(
            (maps.shape[2], maps.shape[1]), places.unbind(1), shares.unbind(1), strict=True
        )
    )
    return y @ maps @ x.transpose(1, 2)


def with_image(boxes: list[Tensor]) -> Tensor:
    """Boxes (k, 4) of each image as regions (sum of k, 5), their image's number before them."""
    numbers = [b.new_full((len(b), 1), i) for i, b in enumerate(boxes)]
    return torch.cat([torch.cat(numbers), torch.cat(boxes)], dim=1)


def _paired(down: Tensor, across: Tensor) -> tuple[Tensor, Tensor]:
    """What bins take (k, size, t) along y and x, so that each pair of both meets: (k, 1 or size,
    size or 1, t²), which is several times as fast to add up as five dimensions."""
    count, size, taken = down.shape
    pairs = (count, size, taken, taken)
    rows = down[..., None].expand(pairs).reshape(count, size, 1, taken**2)
    return rows, across[:, :, None].expand(pairs).reshape(count, 1, size, taken**2)


def _samples(ends: Tensor, lengths: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Pixels along both axes that each bin takes, int32, and their weights.

    Samples beyond one pixel outside the map count 0; those nearer count as the edge.

    Args:
        ends: Float (k, 2, 2): x and y of the first corner, then of the second, in steps of the map.
        lengths: Of the map along x and y, int32 (k, 2).
        grid: What is sampled.

    Returns:
        Both (k, 2, size, 2 · ratio).
    """
    low, high = (ends - 0.5 if grid.centred else ends).unbind(1)
    extent = high - low if grid.centred else (high - low).clamp(min=1.0)
    count = grid.size * grid.ratio
    steps = (torch.arange(count, dtype=ends.dtype, device=ends.device) + 0.5) / count
    places = low[..., None] + steps * extent[..., None]
    ends_at = lengths[..., None].to(ends.dtype)
    inside = (places >= -1) & (places <= ends_at)
    places = places.clamp(min=0).minimum(ends_at - 1)
    before = places.floor()
    after = (before + 1).minimum(ends_at - 1)
    share = places - before
    pixels = torch.stack([before, after], dim=-1).int()
    weights = torch.stack([1 - share, share], dim=-1) * (inside / grid.ratio)[..., None]
    shape = (len(ends), 2, grid.size, 2 * grid.ratio)
    return pixels.view(shape), weights.view(shape)


class _Bags(torch.autograd.Function):
    """Weighted sums of rows.

    Rows float (r, c), numbers of rows int32 (b, t), weights float (b, t); gives float (b, c).
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, numbers: Tensor, weights: Tensor) -> Tensor:
        weights = weights.to(rows.dtype)
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
