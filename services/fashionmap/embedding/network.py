"""The project's embedder: MobileNetV2 pooled at two depths, colours, one projection."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from fashionmap.adapters.folded import POOLED, mobilenet_blocks, pooled_twice

LEVELS = 4
"""Levels a colour channel in the soft histogram."""
COLOURS = LEVELS**3
FEATURES = POOLED + COLOURS


class GarmentEmbedderNetwork(nn.Module):
    """MobileNetV2 (arXiv 1801.04381) without batch norms, a colour histogram, a projection.

    Input: float (n, 3, side, side), RGB scaled to [-1, 1], exactly 0 where nothing is worn.
    Output: float (n, dimensions), not yet of length 1.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.blocks = mobilenet_blocks()
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))
        self.project = nn.Linear(FEATURES, dimensions)

    def forward(self, pictures: Tensor) -> Tensor:
        """Vectors before normalisation."""
        projected: Tensor = self.project(self.standardise(self.features(pictures)))
        return projected

    def features(self, pictures: Tensor) -> Tensor:
        """Pooled features and the square root of the colour histogram, float (n, 1440)."""
        return torch.cat([pooled_twice(self.blocks, pictures), colour_histogram(pictures)], dim=1)

    def set_scale(self, centre: Tensor, spread: Tensor) -> None:
        """Mean and deviation of the features, float (f,)."""
        self.centre.copy_(centre)
        self.spread.copy_(spread)

    def standardise(self, features: Tensor) -> Tensor:
        """Features with mean 0 and deviation 1 over the training data."""
        return (features - self.centre) / self.spread


def colour_histogram(pictures: Tensor) -> Tensor:
    """Soft RGB histogram (n, 64) of what is worn, square-rooted; the middle weighs more.

    Each pixel spreads over the two nearest of four levels a channel (trilinear weights). Grey
    pixels of exactly 0 are outside the mask and do not count.
    """
    small = functional.adaptive_avg_pool2d(pictures, 32)
    worn = functional.adaptive_avg_pool2d((pictures != 0).any(1, keepdim=True).float(), 32)
    weight = (worn > 0.6).float() * _middle(32).to(pictures)
    scaled = (small.clamp(-1, 1) + 1) / 2 * (LEVELS - 1)
    levels = torch.arange(LEVELS, device=pictures.device, dtype=pictures.dtype)
    near = (1 - (scaled[:, :, None] - levels.view(1, 1, -1, 1, 1)).abs()).clamp(min=0)
    red, green, blue = near.flatten(3).unbind(1)
    weighted = red * weight.flatten(2)
    counts = torch.einsum("nap,nbp,ncp->nabc", weighted, green, blue).flatten(1)
    return (counts / counts.sum(1, keepdim=True).clamp(min=1e-6)).sqrt()


def _middle(side: int) -> Tensor:
    line = torch.linspace(-1, 1, side)
    bell = torch.exp(-(line**2) / 0.6)
    return bell[:, None] * bell[None, :]
