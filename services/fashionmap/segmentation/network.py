"""The project's own Mask R-CNN: torchvision's, with a slim backbone and a semantic branch."""

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import (
    RoIHeads,
    fastrcnn_loss,
    project_masks_on_boxes,
)
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from fashionmap.segmentation.backbone import GarmentBackbone
from fashionmap.segmentation.kinds import as_kind
from fashionmap.segmentation.mask_head import (
    MASK_SIDE,
    MaskHead,
    MaskPredictor,
    Places,
)
from fashionmap.segmentation.proposals import GarmentAnchors, GarmentRPN, SlimRPNHead
from fashionmap.segmentation.roi_align import PyramidRoIAlign, align, with_image

DROPPED, UNSEEN = 0.3, 0.4
"""Shares dropped in training: of the box head's features, and of the photos whose semantic map it
does not see. On photos it was trained on that map is nearly the truth, and the head would trust it.
"""
LIKELY = 0.1
"""Least probability of being anything at which a proposal is looked at in the mirror image too."""
LEVELS = ("0", "1", "2", "3")
STRIDES = (4, 8, 16, 32)
SMALL_SIDE, LONGEST_SIDE = 416, 800
"""Photos are resized so that the short side is 416 px, unless the long one would pass 800: about
what training showed most. The model card tells the figures at other sizes."""


class GarmentMaskRCNN(MaskRCNN):  # type: ignore[misc]
    """Mask R-CNN (arXiv 1703.06870) for garments with under 10 million parameters.

    Args:
        categories: Number of categories, without background.
        channels: Channels of the feature pyramid.

    Training targets need, beside torchvision's ``boxes``, ``labels`` and ``masks``, a ``semantic``
    int64 (height, width): 0 background, the category id, or 255 to ignore.
    """

    def __init__(self, categories: int, *, channels: int = 96, **settings: Any) -> None:
        classes = categories + 1
        defaults: dict[str, Any] = {
            "min_size": SMALL_SIDE,
            "max_size": LONGEST_SIDE,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "rpn_pre_nms_top_n_train": 600,
            "rpn_post_nms_top_n_train": 200,
            "rpn_pre_nms_top_n_test": 400,
            "rpn_post_nms_top_n_test": 150,
            "rpn_batch_size_per_image": 128,
            "box_batch_size_per_image": 64,
            "box_fg_iou_thresh": 0.5,
            "box_detections_per_img": 100,
            "box_score_thresh": 0.05,
            "box_nms_thresh": 0.4,
        }
        super().__init__(
            GarmentBackbone(channels=channels, semantic_categories=classes),
            num_classes=None,
            rpn_anchor_generator=GarmentAnchors(),
            rpn_head=SlimRPNHead(channels, 5),
            box_head=BoxHead((channels + classes) * 49, 384),
            box_predictor=FastRCNNPredictor(384, classes),
            mask_head=MaskHead(channels),
            mask_predictor=MaskPredictor(channels, classes),
            **{**defaults, **settings},
        )
        self.transform: GridTransform = keep_mask_grids(self.transform)
        self.rpn: GarmentRPN = as_kind(GarmentRPN, self.rpn)
        self.roi_heads: GarmentRoIHeads = as_kind(GarmentRoIHeads, self.roi_heads)
        self.roi_heads.box_roi_pool = BoxPool()
        self.roi_heads.mask_roi_pool = MaskPool()
        self.mirror = False

    def forward(self, images: list[Tensor], targets: list[dict[str, Tensor]] | None = None) -> Any:
        """Losses by name in training, else torchvision's list of detections.

        With ``mirror`` a photo and its mirror image are looked at, and the answers averaged.
        """
        losses: dict[str, Tensor] = {}
        if self.training and targets is not None:
            hook = self.backbone.register_forward_hook(_semantic_loss(targets, losses))
            try:
                losses.update(super().forward(images, targets))
            finally:
                hook.remove()
            return losses
        if self.mirror:
            return [self._both_ways(image) for image in images]
        return super().forward(images, targets)

    def _both_ways(self, image: Tensor) -> dict[str, Tensor]:
        """Detections of a photo (3, h, w) by itself and by its mirror image."""
        normal = self.transform.normalize(image)
        one, other = (self.transform.padded(way) for way in (normal, normal.flip(-1)))
        maps = self.backbone(one.tensors)  # one after the other: both at once would not fit a cache
        other_maps = self.backbone(other.tensors)
        shape, size = one.image_sizes[0], (image.shape[-2], image.shape[-1])
        (own,), _ = self.rpn(one, maps)
        (others,), _ = self.rpn(other, other_maps)
        proposals = torch.cat([own, mirrored(others, shape[1])])
        found = self.roi_heads.both_ways(maps, other_maps, proposals, shape)
        done: list[dict[str, Tensor]] = self.transform.postprocess([found], [shape], [size])
        return done[0]


class GridTransform(GeneralizedRCNNTransform):  # type: ignore[misc]
    """torchvision's transform, but photos come as ``fitted``, and masks stay as small grids."""

    def fitted(self, photo: NDArray[np.uint8], share: float = 1.0) -> NDArray[np.uint8]:
        """A photo uint8 (height, width, 3) in the size that the network looks at, or a share of it.

        Bilinear and rounded down, as torchvision resizes, but before the pixels become floats.
        """
        height, width = photo.shape[:2]
        scale = self.scale(height, width) * share
        size = (max(int(width * scale + 1e-6), 1), max(int(height * scale + 1e-6), 1))
        resized: NDArray[np.uint8] = cv2.resize(photo, size)  # type: ignore[assignment]
        return resized

    def scale(self, height: int, width: int) -> float:
        """Pixels that the network looks at for one of the photo, along each side."""
        sides = (height, width)
        return float(min(min(self.min_size) / min(sides), self.max_size / max(sides)))

    def padded(self, image: Tensor) -> ImageList:
        """A normalised photo by itself, filled up to whole steps of the network."""
        return ImageList(self.batch_images([image]), [(image.shape[-2], image.shape[-1])])

    def resize(self, image: Tensor, target: Any = None) -> tuple[Tensor, Any]:
        """Leaves a photo as it is."""
        return image, target

    def postprocess(self, result: Any, image_shapes: Any, original_image_sizes: Any) -> Any:
        """Brings boxes to the photo's size; masks stay (n, 1, 56, 56) in [0, 1]."""
        if self.training:
            return result
        for found, shape, original in zip(result, image_shapes, original_image_sizes, strict=True):
            ratios = [original[1] / shape[1], original[0] / shape[0]] * 2
            found["boxes"] = found["boxes"] * found["boxes"].new_tensor(ratios)
        return result


def keep_mask_grids(transform: GeneralizedRCNNTransform) -> GridTransform:
    """A ``GridTransform`` with the settings of a torchvision one."""
    return GridTransform(
        transform.min_size, transform.max_size, transform.image_mean, transform.image_std
    )


class BoxHead(TwoMLPHead):  # type: ignore[misc]
    """torchvision's two layers, with dropout in training (arXiv 1207.0580).

    The first may be in bfloat16 or float16: most of the head's work is there.
    """

    by_pixel = False

    def read_by_pixel(self) -> None:
        """Orders the first layer's weights as ``BoxPool`` leaves regions in memory."""
        weight = self.fc6.weight.detach()
        by_channel = weight.unflatten(1, (-1, 49))
        self.fc6.weight = nn.Parameter(by_channel.transpose(1, 2).flatten(1), requires_grad=False)
        self.by_pixel = True

    def forward(self, pooled: Tensor) -> Tensor:
        """Features (n, width) of pooled regions (n, channels, 7, 7)."""
        regions = pooled.permute(0, 2, 3, 1) if self.by_pixel else pooled
        hidden = functional.relu(self.fc6(regions.flatten(1).to(self.fc6.weight.dtype)).float())
        hidden = functional.dropout(hidden, DROPPED, self.training)
        hidden = functional.relu(self.fc7(hidden))
        return functional.dropout(hidden, DROPPED, self.training)


class BoxPool(nn.Module):
    """Pyramid features and probabilities inside each box: (n, channels + classes, 7, 7)."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = PyramidRoIAlign(STRIDES, size=7, ratio=2)

    def forward(
        self, features: dict[str, Tensor], boxes: list[Tensor], _shapes: list[tuple[int, int]]
    ) -> Tensor:
        """Pools every box of every image."""
        pyramid = self.pool([features[name] for name in LEVELS], boxes)
        likely = features["likely"].to(pyramid.dtype)
        if self.training:
            seen = torch.rand(len(likely), 1, 1, 1, device=likely.device) >= UNSEEN
            likely = likely * seen
        semantic = align(likely, with_image(boxes), size=7, stride=4, ratio=2, centred=True)
        both = [pooled.permute(0, 2, 3, 1) for pooled in (pyramid, semantic)]
        return torch.cat(both, dim=3).permute(0, 3, 1, 2)


class MaskPool(nn.Module):
    """Pyramid features (n, channels, 14, 14), and where they were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = PyramidRoIAlign(STRIDES, size=14, ratio=2)

    def forward(
        self, features: dict[str, Tensor], boxes: list[Tensor], _shapes: list[tuple[int, int]]
    ) -> tuple[Tensor, Places]:
        """Pools every box of every image."""
        places = Places(features["likely"], with_image(boxes))
        return self.pool([features[name] for name in LEVELS], boxes), places


class GarmentRoIHeads(RoIHeads):  # type: ignore[misc]
    """torchvision's heads; outside training each mask is computed for its box's category alone."""

    def forward(
        self, features: Any, proposals: list[Tensor], image_shapes: Any, targets: Any = None
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        """Detections (masks (n, 1, 56, 56) in [0, 1]) and no losses; in training the losses."""
        if self.training:
            return [], self._losses(features, proposals, image_shapes, targets)
        pooled = self.box_head(self.box_roi_pool(features, proposals, image_shapes))
        logits, offsets = self.box_predictor(pooled)
        boxes, scores, labels = self.postprocess_detections(
            logits, offsets, proposals, image_shapes
        )
        deep = self.mask_head(self.mask_roi_pool(features, boxes, image_shapes))
        masks = self.mask_predictor.of_labels(deep, torch.cat(labels)).sigmoid()
        parts = masks.split([len(b) for b in boxes])
        names = ("boxes", "labels", "scores", "masks")
        return [
            dict(zip(names, found, strict=True))
            for found in zip(boxes, labels, scores, parts, strict=True)
        ], {}

    def both_ways(
        self, maps: Any, other_maps: Any, proposals: Tensor, shape: tuple[int, int]
    ) -> dict[str, Tensor]:
        """Detections from the features of a photo and those of its mirror image.

        Scores, offsets and mask logits are the means of both. Proposals that are surely nothing by
        the photo alone are not looked at again.
        """
        logits, offsets = self._boxes(maps, proposals, shape)
        likely = torch.where(1 - logits.softmax(1)[:, 0] >= LIKELY)[0]
        others = mirrored(proposals[likely], shape[1])
        other_logits, turned = self._boxes(other_maps, others, shape)
        turned = turned.view(len(likely), offsets.shape[1] // 4, 4)
        turned = turned * offsets.new_tensor([-1.0, 1.0, 1.0, 1.0])
        logits[likely] = (logits[likely] + other_logits) / 2
        offsets[likely] = (offsets[likely] + turned.flatten(1)) / 2
        (boxes,), (scores,), (labels,) = self.postprocess_detections(
            logits, offsets, [proposals], [shape]
        )
        own = self._mask_logits(maps, boxes, labels, shape)
        other = self._mask_logits(other_maps, mirrored(boxes, shape[1]), labels, shape)
        masks = ((own + other.flip(-1)) / 2).sigmoid()
        return {"boxes": boxes, "labels": labels, "scores": scores, "masks": masks}

    def _boxes(self, maps: Any, boxes: Tensor, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Logits and offsets of boxes of one image."""
        pooled: tuple[Tensor, Tensor] = self.box_predictor(
            self.box_head(self.box_roi_pool(maps, [boxes], [shape]))
        )
        return pooled

    def _mask_logits(
        self, maps: Any, boxes: Tensor, labels: Tensor, shape: tuple[int, int]
    ) -> Tensor:
        """Mask logits (n, 1, 56, 56) of boxes of one image, each of its own label."""
        deep = self.mask_head(self.mask_roi_pool(maps, [boxes], [shape]))
        logits: Tensor = self.mask_predictor.of_labels(deep, labels)
        return logits

    def _losses(
        self, features: Any, proposals: list[Tensor], image_shapes: Any, targets: Any
    ) -> dict[str, Tensor]:
        """torchvision's losses; mask logits are computed for each box's true category alone."""
        proposals, matches, labels, offsets = self.select_training_samples(proposals, targets)
        pooled = self.box_head(self.box_roi_pool(features, proposals, image_shapes))
        of_class, of_box = fastrcnn_loss(*self.box_predictor(pooled), labels, offsets)
        worn = [torch.where(label > 0)[0] for label in labels]
        boxes = _taken(proposals, worn)
        truth = [
            project_masks_on_boxes(target["masks"], box, match, MASK_SIDE)
            for target, box, match in zip(targets, boxes, _taken(matches, worn), strict=True)
        ]
        deep = self.mask_head(self.mask_roi_pool(features, boxes, image_shapes))
        logits = self.mask_predictor.of_labels(deep, torch.cat(_taken(labels, worn)))[:, 0]
        of_mask = functional.binary_cross_entropy_with_logits(
            logits, torch.cat(truth), reduction="sum"
        )
        return {
            "loss_classifier": of_class,
            "loss_box_reg": of_box,
            "loss_mask": of_mask / max(logits.numel(), 1),
        }


def mirrored(boxes: Tensor, width: int) -> Tensor:
    """Boxes (n, 4) as x1, y1, x2, y2 where they lie in the mirror image, so wide."""
    x1, y1, x2, y2 = boxes.unbind(1)
    return torch.stack([width - x2, y1, width - x1, y2], dim=1)


def _taken(tensors: list[Tensor], places: list[Tensor]) -> list[Tensor]:
    return [tensor[place] for tensor, place in zip(tensors, places, strict=True)]


def _semantic_loss(targets: list[dict[str, Tensor]], losses: dict[str, Tensor]) -> Any:
    """A forward hook that scores the backbone's semantic logits: cross entropy plus Dice."""

    def score(_module: nn.Module, _inputs: Any, features: dict[str, Tensor]) -> None:
        logits = features["semantic"].float()
        labels = torch.stack([t["semantic"] for t in targets])[:, 2::4, 2::4]
        losses["loss_semantic"] = functional.cross_entropy(logits, labels, ignore_index=255)
        losses["loss_dice"] = 0.5 * _dice_loss(logits, labels)

    return score


def _dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 − Dice averaged over the classes that occur in each image."""
    valid = labels != 255
    probabilities = functional.softmax(logits, dim=1) * valid[:, None]
    truth = functional.one_hot(labels.where(valid, 0), logits.shape[1]).permute(0, 3, 1, 2)
    truth = (truth * valid[:, None]).float()
    both = (probabilities * truth).sum(dim=(2, 3))
    sums = probabilities.sum(dim=(2, 3)) + truth.sum(dim=(2, 3))
    present = (truth.sum(dim=(2, 3)) > 0).float()
    dice = (2 * both + 1) / (sums + 1)
    return ((1 - dice) * present).sum() / present.sum().clamp(min=1)
