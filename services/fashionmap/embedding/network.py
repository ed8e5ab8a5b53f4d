"""The project's embedder: MobileNetV2, two pooled depths, one projection."""

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

from fashionmap.adapters.folded import without_norms

MIDDLE, LAST = 13, 18
"""Blocks whose features are pooled: 96 channels at stride 16 (texture), 1280 at stride 32."""
POOLED = 96 + 1280


class GarmentEmbedderNetwork(nn.Module):
    """MobileNetV2 (arXiv 1801.04381) without batch norms, and a linear projection.

    Input: float (n, 3, side, side), RGB scaled to [-1, 1]. Output: float (n, dimensions), not yet
    of length 1.
    """

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        blocks = mobilenet_v2(weights=None).features
        self.blocks = nn.ModuleList(without_norms(block) for block in blocks)
        self.register_buffer("centre", torch.zeros(POOLED))
        self.register_buffer("spread", torch.ones(POOLED))
        self.project = nn.Linear(POOLED, dimensions)

    def forward(self, pictures: Tensor) -> Tensor:
        """Vectors before normalisation."""
        projected: Tensor = self.project(self.standardise(self.features(pictures)))
        return projected

    def features(self, pictures: Tensor) -> Tensor:
        """Pooled features float (n, 1376) before standardising."""
        pooled = []
        for index, block in enumerate(self.blocks):
            pictures = block(pictures)
            if index in (MIDDLE, LAST):
                pooled.append(pictures.mean(dim=(2, 3)))
        return torch.cat(pooled, dim=1)

    def standardise(self, features: Tensor) -> Tensor:
        """Features with mean 0 and deviation 1 over the training data."""
        return (features - self.centre) / self.spread
