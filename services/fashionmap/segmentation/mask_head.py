"""The small model's mask head: coarse logits of a region, sharpened by the semantic map."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from fashionmap.segmentation.backbone import SeparableConv

MASK_SIDE = 56
"""Masks are predicted on a grid of 56 × 56 cells a box."""
LEAST_MARGIN, LEAST_DOUBT, LARGEST = 12.0, 1e-5, 80.0
"""Bounds of log p/(1-p), of 1-p, and of a difference of logits whose exponential is a float32."""


class MaskHead(nn.Module):
    """Three separable convolutions; the semantic logits pass by.

    With ``precision`` they, and the predictor's, compute in bfloat16 or float16.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.precision: torch.dtype | None = None
        self.layers = nn.Sequential(*(SeparableConv(channels, channels) for _ in range(3)))

    def forward(self, pooled: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Features (n, channels, 14, 14) and logits (n, classes, 56, 56)."""
        return self.layers(pooled[0].to(self.precision or pooled[0].dtype)), pooled[1]


class MaskPredictor(nn.Module):
    """Mask logits at 28 × 28, brought to 56 × 56 and added to a gain times the semantic margin."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, channels // 2, 2, 2)
        self.logits = nn.Conv2d(channels // 2, classes, 1)
        self.gain = nn.Parameter(torch.full((1, classes, 1, 1), 0.5))

    def forward(self, features: tuple[Tensor, Tensor]) -> Tensor:
        """Logits float32 (n, classes, 56, 56), as torchvision's own heads ask for them."""
        margins = _margins(functional.log_softmax(features[1], dim=1))
        return _fine(self._coarse(features)) + self.gain * margins

    def of_labels(self, features: tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
        """The logits of each box's own label, float32 (n, 1, 56, 56); the rest is not computed."""
        row = torch.arange(len(labels), device=labels.device)
        coarse = self._coarse(features)[row, labels, None]
        return _fine(coarse) + self.gain[0, labels, None] * _margin_of(features[1], labels)

    def _coarse(self, features: tuple[Tensor, Tensor]) -> Tensor:
        """Float32 (n, classes, 28, 28)."""
        logits: Tensor = self.logits(functional.relu(self.up(features[0]))).float()
        return logits


def _fine(coarse: Tensor) -> Tensor:
    """Logits (n, …, 28, 28) brought to 56 × 56."""
    return functional.interpolate(coarse, size=MASK_SIDE, mode="bilinear")


def _margins(log_p: Tensor) -> Tensor:
    """log p/(1-p) of each class against all others, from log p."""
    log_p = log_p.clamp(min=-LEAST_MARGIN)
    return log_p - torch.log1p(-log_p.exp().clamp(max=1 - LEAST_DOUBT))


def _margin_of(logits: Tensor, labels: Tensor) -> Tensor:
    """The margin of each box's own label alone, float32 (n, 1, h, w).

    (1-p)/p is the sum over all other classes of exp(their logit - the label's), so nothing needs
    a softmax. Logits: (n, classes, h, w).
    """
    row = torch.arange(len(labels), device=labels.device)
    odds = _summed((logits - logits[row, labels, None]).clamp(max=LARGEST).exp()) - 1
    return -odds.clamp(LEAST_DOUBT, math.exp(LEAST_MARGIN)).log()


def probabilities(logits: Tensor) -> Tensor:
    """The softmax over classes (n, classes, h, w), pixel by pixel in memory, as ``align`` reads it.

    From logits less the background's, so no largest one is looked for.
    """
    by_pixel = logits.permute(0, 2, 3, 1)
    odds = (by_pixel - by_pixel[..., :1]).clamp(max=LARGEST).exp().permute(0, 3, 1, 2)
    return odds / _summed(odds)


def _summed(values: Tensor) -> Tensor:
    """Sums (n, 1, h, w) over classes: a product with ones is several times as fast as a sum."""
    ones = values.new_ones(values.shape[1], 1)
    return (values.permute(0, 2, 3, 1) @ ones).permute(0, 3, 1, 2)
