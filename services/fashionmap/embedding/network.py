"""The project's embedder: MobileNetV2 pooled at two depths, colours, one projection."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import mobilenet_v2

from fashionmap.adapters.folded import without_norms

MIDDLE, LAST = 13, 18
"""Blocks whose features are pooled: 96 channels at stride 16 (texture), 1280 at stride 32."""
LEVELS = 4
"""Levels a colour channel in the soft histogram."""
COLOURS = LEVELS**3
FEATURES = 96 + 1280 + COLOURS


class GarmentEmbedderNetwork(nn.Module):
    """MobileNetV2 (arXiv 1801.04381) without batch norms, a colour histogram, a projection.

    Input: float (n, 3, side, side), RGB scaled to [-1, 1], exactly 0 where nothing is worn.
    Output: float (n, dimensions), not yet of length 1.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        blocks = mobilenet_v2(weights=None).features
        self.blocks = nn.ModuleList(without_norms(block) for block in blocks)
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))
        self.project = nn.Linear(FEATURES, dimensions)

    def forward(self, pictures: Tensor) -> Tensor:
        """Vectors before normalisation."""
        projected: Tensor = self.project(self.standardise(self.features(pictures)))
        return projected

    def features(self, pictures: Tensor) -> Tensor:
        """Pooled features and the square root of the colour histogram, float (n, 1440)."""
        pooled = []
        maps = pictures
        for index, block in enumerate(self.blocks):
            maps = block(maps)
            if index in (MIDDLE, LAST):
                pooled.append(maps.mean(dim=(2, 3)))
        return torch.cat([*pooled, colour_histogram(pictures)], dim=1)

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
