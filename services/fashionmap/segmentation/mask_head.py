"""The small model's mask head: coarse logits of a region, sharpened by the semantic map."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from fashionmap.segmentation.backbone import SeparableConv
from fashionmap.segmentation.roi_align import align, sampled

MASK_SIDE = 56
"""Masks are predicted on a grid of 56 × 56 cells a box."""
STRIDE = 4
"""Pixels a step of the semantic map."""
LEAST_DOUBT = 1e-5
"""Bound of p and 1-p in log p/(1-p)."""


@dataclass(frozen=True)
class Places:
    """Where masks are asked for.

    Attributes:
        likely: The semantic map's probabilities, float32 (n, classes, h, w).
        regions: Float32 (k, 5): number of the image, then x1, y1, x2, y2 in pixels.
    """

    likely: Tensor
    regions: Tensor

    def margins_of(self, labels: Tensor) -> Tensor:
        """log p/(1-p) of each region's own label, int64 (k,), as float32 (k, 1, 56, 56)."""
        maps = torch.logit(self.likely[self.regions[:, 0].long(), labels], LEAST_DOUBT)
        return sampled(maps, self.regions[:, 1:], size=MASK_SIDE, stride=STRIDE)[:, None]

    def margins(self) -> Tensor:
        """log p/(1-p) of all classes, float32 (k, classes, 56, 56)."""
        maps = torch.logit(self.likely, LEAST_DOUBT)
        return align(maps, self.regions, size=MASK_SIDE, stride=STRIDE, ratio=1, centred=True)


class MaskHead(nn.Module):
    """Three separable convolutions; where the masks lie passes by.

    With ``precision`` they, and the predictor's, compute in bfloat16 or float16.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.precision: torch.dtype | None = None
        self.layers = nn.Sequential(*(SeparableConv(channels, channels) for _ in range(3)))

    def forward(self, pooled: tuple[Tensor, Places]) -> tuple[Tensor, Places]:
        """Features (k, channels, 14, 14) of regions, and the regions."""
        return self.layers(pooled[0].to(self.precision or pooled[0].dtype)), pooled[1]


class MaskPredictor(nn.Module):
    """Mask logits at 28 × 28, brought to 56 × 56 and added to a gain times the semantic margin."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, channels // 2, 2, 2)
        self.logits = nn.Conv2d(channels // 2, classes, 1)
        self.gain = nn.Parameter(torch.full((1, classes, 1, 1), 0.5))

    def forward(self, deep: tuple[Tensor, Places]) -> Tensor:
        """Logits float32 (k, classes, 56, 56), as torchvision's own heads ask for them."""
        coarse = self.logits(functional.relu(self.up(deep[0]))).float()
        return _fine(coarse) + self.gain * deep[1].margins()

    def of_labels(self, deep: tuple[Tensor, Places], labels: Tensor) -> Tensor:
        """The logits of each region's own label, float32 (k, 1, 56, 56); no others are computed."""
        by_pixel = functional.relu(self.up(deep[0])).permute(0, 2, 3, 1).float()
        weights, bias = self.logits.weight[labels].float(), self.logits.bias
        assert bias is not None
        coarse = by_pixel.flatten(1, 2) @ weights[:, :, :, 0] + bias[labels, None, None].float()
        coarse = coarse.view(len(labels), 1, *by_pixel.shape[1:3])
        return _fine(coarse) + self.gain[0, labels, None] * deep[1].margins_of(labels)


def _fine(coarse: Tensor) -> Tensor:
    """Logits (k, …, 28, 28) brought to 56 × 56."""
    return functional.interpolate(coarse, size=MASK_SIDE, mode="bilinear")
