"""MobileNetV2 with folded batch norms, and a slim feature pyramid over it."""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import mobilenet_v2

from fashionmap.adapters.folded import without_norms
from fashionmap.adapters.fused import sum_of
from fashionmap.segmentation.enlarged import enlarged_sum

TAPS = {3: 24, 6: 32, 13: 96, 17: 320}
"""MobileNetV2 blocks at strides 4, 8, 16, 32 and their channels."""


LARGEST = 80.0
"""Bound of a difference of logits whose exponential is a float32."""


class MobileNetFeatures(nn.Module):
    """MobileNetV2's blocks without batch norms: each is folded into its convolution's bias.

    Input: float (n, 3, h, w), RGB scaled to [-1, 1]. Output: four maps at strides 4, 8, 16, 32.
    """

    def __init__(self) -> None:
        super().__init__()
        blocks = mobilenet_v2(weights=None).features[:18]
        self.blocks = nn.ModuleList(without_norms(block) for block in blocks)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features float (n, c, h/s, w/s) for s in 4, 8, 16, 32."""
        maps = []
        for index, block in enumerate(self.blocks):
            images = block(images)
            if index in TAPS:
                maps.append(images)
        return maps


class FeaturePyramid(nn.Module):
    """Top-down feature pyramid (Lin et al. 2017, arXiv 1612.03144) with separable outputs."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in TAPS.values())
        self.output = nn.ModuleList(SeparableConv(channels, channels) for _ in TAPS)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Four maps with equal channels at strides 4, 8, 16, 32."""
        above: Tensor | None = None
        levels = []
        for lateral, features in reversed(list(zip(self.lateral, maps, strict=True))):
            if above is None:
                above = lateral(features)
            else:
                higher = functional.interpolate(above, size=features.shape[-2:])
                above = sum_of(lateral, features, higher)
            levels.append(above)
        pairs = zip(self.output, reversed(levels), strict=True)
        return [output(level) for output, level in pairs]


class SeparableConv(nn.Sequential):
    """Depthwise 3×3, pointwise 1×1, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs),
            nn.Conv2d(inputs, outputs, 1),
            nn.ReLU(inplace=True),
        )


class SemanticBranch(nn.Module):
    """Dense per-pixel categories at stride 4, as in Hybrid Task Cascade (arXiv 1901.07518).

    Dense labels train the features faster than sampled regions do; its features are added to
    every level of the pyramid, and its logits help the box head and sharpen the masks.
    """

    def __init__(self, channels: int, categories: int) -> None:
        super().__init__()
        self.fuse = nn.Sequential(
            SeparableConv(channels, channels), SeparableConv(channels, channels)
        )
        self.context = nn.Conv2d(channels, channels, 1)
        self.logits = nn.Conv2d(channels, categories, 1)
        self.back = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in TAPS)

    def forward(self, levels: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """The levels with the branch's features added, and logits (n, categories, h/4, w/4)."""
        everywhere = self.context(levels[-1].mean(dim=(2, 3), keepdim=True))
        fused = self.fuse(enlarged_sum(levels, everywhere))
        sizes = [(level.shape[2], level.shape[3]) for level in levels]
        shrunk = [fused, *(functional.adaptive_avg_pool2d(fused, size) for size in sizes[1:])]
        enriched = [
            sum_of(back, features, level)
            for level, back, features in zip(levels, self.back, shrunk, strict=True)
        ]
        return enriched, self.logits(fused)


class GarmentBackbone(nn.Module):
    """Everything before the regions.

    Levels ``"0"`` to ``"3"`` and ``"pool"``, the logits ``"semantic"``, and the probabilities
    ``"likely"`` that they mean, which teach the logits nothing.
    """

    def __init__(self, *, channels: int, semantic_categories: int) -> None:
        super().__init__()
        self.body = MobileNetFeatures()
        self.pyramid = FeaturePyramid(channels)
        self.semantic = SemanticBranch(channels, semantic_categories)
        self.out_channels = channels
        self.precision: torch.dtype | None = None

    def forward(self, images: Tensor) -> "OrderedDict[str, Tensor]":
        """Named float32 feature maps.

        With ``precision`` the convolutions compute in bfloat16 or float16, and outside training
        the levels stay in it.
        """
        low = self.precision
        with torch.autocast(images.device.type, low or torch.bfloat16, enabled=low is not None):
            levels, logits = self.semantic(self.pyramid(self.body(images)))
        exact = torch.float32 if self.training or low is None else low
        levels = [level.to(exact) for level in levels]
        named = OrderedDict((str(i), level) for i, level in enumerate(levels))
        named["pool"] = functional.max_pool2d(levels[-1], 1, 2)
        named["semantic"] = logits.float()
        named["likely"] = probabilities(named["semantic"].detach())
        return named

    def freeze(self, blocks: int) -> None:
        """Stops training of the first blocks of the body."""
        for block in list(self.body.blocks)[:blocks]:
            block.requires_grad_(False)


def probabilities(logits: Tensor) -> Tensor:
    """The softmax over classes (n, classes, h, w), pixel by pixel in memory, as ``align`` reads it.

    From logits less the background's, so no largest one is looked for.
    """
    by_pixel = logits.permute(0, 2, 3, 1)
    odds = (by_pixel - by_pixel[..., :1]).clamp(max=LARGEST).exp()
    ones = odds.new_ones(odds.shape[3], 1)  # a product with ones is several times as fast as a sum
    return (odds / (odds @ ones)).permute(0, 3, 1, 2)
