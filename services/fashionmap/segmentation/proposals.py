"""The proposal network of the small model: a slim head, anchors for garments, few boxes decoded."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import AnchorGenerator, RegionProposalNetwork
from torchvision.ops import boxes as box_ops

from fashionmap.segmentation.backbone import SeparableConv

LEVELS = 5
SHAPES = (0.3, 0.6, 1.0, 1.8, 3.2)
"""Height : width of anchors: from a belt lying flat to trousers standing."""


class GarmentAnchors(AnchorGenerator):  # type: ignore[misc]
    """Five shapes a level."""

    def __init__(self) -> None:
        super().__init__(((24,), (48,), (96,), (192,), (320,)), (SHAPES,) * LEVELS)

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        """Anchors of the pyramid's five maps; the semantic map, which comes last, has none."""
        anchors: list[Tensor] = super().forward(image_list, feature_maps[:LEVELS])
        return anchors

    def of_places(
        self, places: Tensor, *, level: int, grid: tuple[int, int], image: tuple[int, int]
    ) -> Tensor:
        """Some anchors of a level.

        Args:
            places: Numbers of anchors as ``forward`` orders them, int64 (n, k).
            level: Number of the level.
            grid: Its ``(height, width)``.
            image: ``(height, width)`` of the padded image.

        Returns:
            Float32 (n, k, 4) as x1, y1, x2, y2 in pixels.
        """
        cell = torch.div(places, len(SHAPES), rounding_mode="floor")
        row = torch.div(cell, grid[1], rounding_mode="floor")
        x, y = (cell - row * grid[1]) * (image[1] // grid[1]), row * (image[0] // grid[0])
        around: Tensor = self.cell_anchors[level].to(places.device)
        return torch.stack([x, y, x, y], dim=-1) + around[places % len(SHAPES)]


class SlimRPNHead(nn.Module):
    """Objectness and box offsets from one separable convolution; answers in float32.

    With ``precision`` it computes in bfloat16 or float16.
    """

    def __init__(self, channels: int, anchors: int) -> None:
        super().__init__()
        self.precision: torch.dtype | None = None
        self.conv = SeparableConv(channels, channels)
        self.objectness = nn.Conv2d(channels, anchors, 1)
        self.offsets = nn.Conv2d(channels, 4 * anchors, 1)
        for layer in (self.objectness, self.offsets):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, levels: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Logits (n, anchors, h, w) and offsets (n, 4 · anchors, h, w), a level each."""
        low = self.precision
        with torch.autocast(levels[0].device.type, low or torch.bfloat16, enabled=low is not None):
            hidden = [self.conv(level) for level in levels[:LEVELS]]
            logits = [self.objectness(h) for h in hidden]
            offsets = [self.offsets(h) for h in hidden]
        return [v.float() for v in logits], [v.float() for v in offsets]


class GarmentRPN(RegionProposalNetwork):  # type: ignore[misc]
    """torchvision's proposal network; outside training it decodes the best anchors alone.

    The proposals are torchvision's, which decodes all anchors first.
    """

    def forward(
        self, images: ImageList, features: dict[str, Tensor], targets: Any = None
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Proposals float32 (k, 4) an image, and in training the losses."""
        if self.training:
            done: tuple[list[Tensor], dict[str, Tensor]] = super().forward(
                images, features, targets
            )
            return done
        logits, offsets = self.head(list(features.values()))
        size = (images.tensors.shape[-2], images.tensors.shape[-1])
        levels = [
            self._best(i, *pair, size) for i, pair in enumerate(zip(logits, offsets, strict=True))
        ]
        scores, anchors, codes = (torch.cat(parts, dim=1) for parts in zip(*levels, strict=True))
        boxes = self.box_coder.decode_single(codes.flatten(0, 1), anchors.flatten(0, 1))
        sizes = [best.shape[1] for best, _, _ in levels]
        return [
            self._chosen(own.split(sizes), of_image.split(sizes), shape)
            for own, of_image, shape in zip(
                boxes.view_as(codes), scores, images.image_sizes, strict=True
            )
        ], {}

    def _best(
        self, level: int, logits: Tensor, offsets: Tensor, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Of a level's best anchors, by falling score: logits (n, k), the anchors themselves and
        their offsets, both (n, k, 4)."""
        count, _, height, width = logits.shape
        flat = logits.permute(0, 2, 3, 1).reshape(count, -1)
        best, places = flat.topk(min(self.pre_nms_top_n(), flat.shape[1]), dim=1)
        anchors = self.anchor_generator.of_places(
            places, level=level, grid=(height, width), image=size
        )
        codes = offsets.permute(0, 2, 3, 1).reshape(count, -1, 4)
        return best, anchors, codes.gather(1, places[..., None].expand(-1, -1, 4))

    def _chosen(
        self, levels: Sequence[Tensor], scores: Sequence[Tensor], shape: tuple[int, int]
    ) -> Tensor:
        """The best boxes of all levels of one image that do not lie on better ones."""
        boxes, logits = [], []
        for own, of_level in zip(levels, scores, strict=True):
            clipped = box_ops.clip_boxes_to_image(own, shape)
            large = box_ops.remove_small_boxes(clipped, self.min_size)
            kept = large[box_ops.nms(clipped[large], of_level[large], self.nms_thresh)]
            boxes.append(clipped[kept])
            logits.append(of_level[kept])
        order = torch.cat(logits).argsort(descending=True, stable=True)
        return torch.cat(boxes)[order[: self.post_nms_top_n()]]
