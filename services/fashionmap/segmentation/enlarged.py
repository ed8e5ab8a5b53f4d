"""The sum of maps of several sizes at the largest one's size, as one weighted sum of rows.

With channels last a pixel is a row of memory, and each pixel of the sum takes one row of the
largest map, four of every smaller one and one that all share. torch would enlarge each map and
then add it: on a CPU that passes over memory six times.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional


def enlarged_sum(maps: list[Tensor], everywhere: Tensor) -> Tensor:
    """Maps brought to the first one's size, bilinearly, and added.

    Args:
        maps: Float (n, c, h, w) each, the first the largest.
        everywhere: Float (n, c, 1, 1), added to each pixel.

    Returns:
        Float (n, c, h, w).
    """
    first = maps[0]
    if len(first) > 1 or first.device.type != "cpu" or torch.is_grad_enabled():
        size = first.shape[-2:]
        for smaller in maps[1:]:
            first = first + functional.interpolate(smaller, size=size, mode="bilinear")
        return first + everywhere
    _, channels, height, width = first.shape
    rows = torch.cat([m.permute(0, 2, 3, 1).reshape(-1, channels) for m in (*maps, everywhere)])
    numbers, weights = _table(tuple((m.shape[2], m.shape[3]) for m in maps))
    summed = functional.embedding_bag(
        numbers, rows, mode="sum", per_sample_weights=weights.to(rows.dtype)
    )
    return summed.view(1, height, width, channels).permute(0, 3, 1, 2)


@lru_cache(maxsize=8)
def _table(sizes: tuple[tuple[int, int], ...]) -> tuple[Tensor, Tensor]:
    """The rows that each pixel takes, int32 (h·w, t), and their weights float32."""
    height, width = sizes[0]
    pixels = height * width
    numbers = [torch.arange(pixels, dtype=torch.int32)[:, None]]
    weights = [torch.ones(pixels, 1)]
    start = pixels
    for rows, columns in sizes[1:]:
        (ys, y_shares), (xs, x_shares) = _taken(height, rows), _taken(width, columns)
        places = ys[:, None, :, None] * columns + xs[None, :, None, :] + start
        numbers.append(places.reshape(pixels, 4))
        weights.append((y_shares[:, None, :, None] * x_shares[None, :, None, :]).reshape(pixels, 4))
        start += rows * columns
    numbers.append(torch.full((pixels, 1), start, dtype=torch.int32))
    weights.append(torch.ones(pixels, 1))
    return torch.cat(numbers, 1), torch.cat(weights, 1)


def _taken(length: int, source: int) -> tuple[Tensor, Tensor]:
    """The two pixels that each takes along an axis, int32 (length, 2), and their shares.

    As ``torch.nn.functional.interpolate`` takes them: pixels' centres lie at halves.
    """
    places = ((torch.arange(length) + 0.5) * (source / length) - 0.5).clamp(0, source - 1)
    before = places.floor()
    share = places - before
    both = torch.stack([before, (before + 1).clamp(max=source - 1)], dim=1)
    return both.int(), torch.stack([1 - share, share], dim=1)
