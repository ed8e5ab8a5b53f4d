"""Segmenters by name: the model that ships, checkpoints of the trainer, torchvision's person."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fashionmap.adapters.devices import device_of
from fashionmap.adapters.fused import can_fuse, fused
from fashionmap.adapters.threads import photos_at_once
from fashionmap.adapters.weights import (
    Weights,
    download_weights,
    read_torch_file,
    read_weights,
    shipped_weights,
)
from fashionmap.domain.garment import Detection
from fashionmap.domain.photo import ModelStamp
from fashionmap.domain.taxonomy import PERSON, TAXONOMIES, Taxonomy
from fashionmap.errors import UsageError, WeightsRejected
from fashionmap.segmentation.closer import Raw, frames_of, joined
from fashionmap.segmentation.detections import detections_of
from fashionmap.segmentation.farther import share_of, shows_people
from fashionmap.segmentation.names import (
    NamingNetwork,
    SecondOpinion,
    network_of,
    split_names,
    sure_before,
)
from fashionmap.segmentation.network import GarmentMaskRCNN, keep_mask_grids

SHIPPED = "garments-small"
MIRROR = "+mirror"
"""Ends the name of a segmenter that looks at mirror images too. In stamps its version says so."""
DEFAULT = SHIPPED + MIRROR
THRESHOLD = 0.4
"""Least score of a garment by default."""
SHORTEST_SIDE, LONGEST_SHAPE = 16, 12
"""Photos under 16 px or of sides beyond 1 : 12 show no garments."""
PLAIN = 8
"""Pictures that vary by less (of 255) in each channel show none either: black would be a skirt."""
COCO_PERSON_URL = "https://download.pytorch.org/models/maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"


class MaskRCNNSegmenter:
    """A torchvision-style Mask R-CNN behind the ``Segmenter`` port.

    Photos go through one by one, so a photo's masks never depend on its batch. On CPUs with
    bfloat16 units the backbone computes in it, and convolutions are fused with what follows them.
    A small model that knows people looks again at photos that show them smaller or larger than
    training did, and one with a naming network asks for a second opinion on names.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        stamp: ModelStamp,
        labels: Sequence[str],
        device: str,
        threshold: float,
        naming: NamingNetwork | None = None,
    ) -> None:
        self.stamp = stamp
        self.categories = tuple(c for c in labels if c != PERSON) or (PERSON,)
        self.labels, self._threshold = tuple(labels), threshold
        knows_people = isinstance(network, GarmentMaskRCNN) and PERSON in labels
        self._person = self.labels.index(PERSON) + 1 if knows_people else 0
        self._device, self.at_once = torch.device(device), photos_at_once(device)
        heads: Any = network.roi_heads
        least = sure_before(threshold) if naming else threshold
        heads.score_thresh = max(heads.score_thresh, least)  # scores only fall from there on
        self._network = network.eval().to(self._device)
        self._network = self._network.to(memory_format=torch.channels_last)
        if has_bfloat16(self._device):
            compute_in(network, torch.bfloat16)
        if isinstance(network, GarmentMaskRCNN) and can_fuse(self._device):
            fuse(network)
        self._opinion = None
        if naming is not None:
            dtype = torch.bfloat16 if has_bfloat16(self._device) else torch.float32
            self._opinion = SecondOpinion(
                naming,
                device=self._device,
                dtype=dtype,
                person=self.labels.index(PERSON) + 1 if PERSON in self.labels else 0,
                mirror=isinstance(network, GarmentMaskRCNN) and network.mirror,
            )

    def segment(
        self, photos: Sequence[NDArray[np.uint8]], *, sizes: Sequence[tuple[int, int]] | None = None
    ) -> list[list[Detection]]:
        """Detections a photo, by falling score. Photos: uint8 RGB (height, width, 3)."""
        full = sizes or [(p.shape[0], p.shape[1]) for p in photos]
        found = [self._segment(p, size) for p, size in zip(photos, full, strict=True)]
        return [[d for d in of_photo if d.category in self.categories] for of_photo in found]

    def everything(self, photo: NDArray[np.uint8]) -> list[Detection]:
        """Detections of all ``labels``, the person too, by falling score."""
        return self._segment(photo, (photo.shape[0], photo.shape[1]))

    def raw(self, photo: NDArray[np.uint8], share: float = 1.0) -> Raw:
        """The network's own output for one photo: boxes, labels, scores, mask grids.

        With a ``share`` it sees so much of the size it usually does.
        """
        transform: Any = self._network.transform
        fitted = transform.fitted(photo, share)
        with torch.inference_mode():
            tensor = torch.from_numpy(fitted).to(self._device)
            found: dict[str, Tensor] = self._network([tensor.permute(2, 0, 1).float().div(255)])[0]
        raw = {name: value.float().cpu().numpy() for name, value in found.items()}
        scale = [photo.shape[axis] / fitted.shape[axis] for axis in (1, 0)]
        raw["boxes"] *= np.array(scale * 2, np.float32)
        return raw

    def found(self, photo: NDArray[np.uint8]) -> Raw:
        """What one look finds, or another from farther away or closer by."""
        raw = self.raw(photo)
        if not self._person:
            return raw
        transform: Any = self._network.transform
        shape = (photo.shape[0], photo.shape[1])
        scale = transform.scale(*shape)
        share = share_of(raw, self._person, shape=shape, scale=scale)
        if share < 1:
            farther = self.raw(photo, share)
            return farther if shows_people(farther, self._person) else raw
        frames = frames_of(raw, self._person, shape=shape, scale=scale)
        if not frames:
            return raw
        closer = [self.raw(photo[y1:y2, x1:x2]) for x1, y1, x2, y2 in frames]
        return joined(raw, closer, frames, person=self._person)

    def _segment(self, photo: NDArray[np.uint8], size: tuple[int, int]) -> list[Detection]:
        (rows, columns), (height, width) = photo.shape[:2], size
        if min(rows, columns) < SHORTEST_SIDE or max(rows, columns) > LONGEST_SHAPE * min(
            rows, columns
        ):
            return []
        if np.ptp(photo[::4, ::4], axis=(0, 1)).max() < PLAIN:
            return []
        raw = self.found(photo)
        raw = raw if self._opinion is None else self._opinion(photo, raw)
        raw["boxes"] = raw["boxes"] * np.array([width / columns, height / rows] * 2, np.float32)
        return detections_of(
            raw, self.labels, height=height, width=width, threshold=self._threshold
        )


def load_segmenter(
    name_or_path: str = DEFAULT,
    *,
    device: str = "auto",
    weights_dir: Path | None = None,
    threshold: float | None = None,
) -> MaskRCNNSegmenter:
    """A segmenter by name, or from a weights file that the trainer wrote.

    Args:
        name_or_path: ``garments-small``, ``coco-person``, ``coco-person=FILE`` (torchvision's
            weights as safetensors), or the path of a ``.safetensors`` file of the trainer. With
            ``+mirror`` behind, ``garments-small`` looks at each photo's mirror image as well.
        device: ``cpu``, ``cuda``, ``cuda:1`` … or ``auto``.
        weights_dir: Folder to look in instead of the package's own.
        threshold: Least score that is kept; the default suits a clean map.

    Raises:
        WeightsRejected: The weights are missing, broken, or not of a model that we know.
        UsageError: There is no segmenter of that name.
    """
    place = device_of(device)
    kept = sure_enough(threshold)
    name_or_path, mirror = split_mirror(name_or_path)
    if name_or_path.split("=", maxsplit=1)[0] == "coco-person" and not mirror:
        return _coco_person(name_or_path.partition("=")[2], device=place, threshold=kept)
    if name_or_path.endswith(".safetensors"):
        weights = read_weights(Path(name_or_path))
    elif name_or_path == SHIPPED:
        weights = shipped_weights(name_or_path, weights_dir)
    else:
        raise UsageError(
            f"There is no segmenter {name_or_path!r}: name garments-small, coco-person "
            "or a .safetensors file that `fashionmap train` wrote."
        )
    return segmenter_of(weights, device=place, threshold=kept, mirror=mirror)


def split_mirror(name: str) -> tuple[str, bool]:
    """A segmenter's name, and whether it is to look at mirror images too."""
    return name.removesuffix(MIRROR), name.endswith(MIRROR)


def segmenter_of(
    weights: Weights, *, device: str, threshold: float, mirror: bool = False
) -> MaskRCNNSegmenter:
    """A segmenter from weights of the trainer, by the architecture in their metadata."""
    taxonomy = _taxonomy(weights)
    architecture = weights.metadata.get("architecture", "")
    if taxonomy is None or architecture not in ARCHITECTURES:
        raise WeightsRejected(f"{weights.path} holds no segmenter of fashionMap's trainer.")
    network = ARCHITECTURES[architecture](len(taxonomy.categories))
    tensors, of_names = split_names(weights.tensors)
    try:
        naming = network_of(of_names, len(taxonomy.categories)) if of_names else None
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsRejected(f"{weights.path} does not fit {architecture}.") from error
    if mirror and not isinstance(network, GarmentMaskRCNN):
        raise UsageError(f"{MIRROR} is for garments-small, not for {architecture}.")
    if mirror:
        network.mirror = True
    stamp = ModelStamp(
        name=weights.metadata.get("name", SHIPPED),
        version=weights.metadata.get("version", "0") + ("-mirror" if mirror else ""),
        sha256=weights.sha256,
    )
    return MaskRCNNSegmenter(
        network,
        stamp=stamp,
        labels=taxonomy.categories,
        device=device,
        threshold=threshold,
        naming=naming,
    )


def _taxonomy(weights: Weights) -> Taxonomy | None:
    """A known taxonomy, or the one that the file lists: trained on a data set's own categories."""
    name = weights.metadata.get("taxonomy", "")
    if name in TAXONOMIES or "categories" not in weights.metadata:
        return TAXONOMIES.get(name)
    try:
        names = tuple(str(c) for c in json.loads(weights.metadata["categories"]))
    except (ValueError, TypeError):
        return None
    return Taxonomy(name, names)


def resnet50_fpn_v2(categories: int, **settings: Any) -> nn.Module:
    """torchvision's ``maskrcnn_resnet50_fpn_v2`` without weights, masks kept as grids."""
    from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

    network: nn.Module = maskrcnn_resnet50_fpn_v2(
        weights=None, weights_backbone=None, num_classes=categories + 1, **settings
    )
    network.transform = keep_mask_grids(network.transform)
    return network


ARCHITECTURES: dict[str, Any] = {
    "garments-small": GarmentMaskRCNN,
    "resnet50_fpn_v2": resnet50_fpn_v2,
}
"""What `fashionmap train --model` knows; each takes the number of categories."""


def compute_in(network: nn.Module, dtype: torch.dtype) -> None:
    """Lets a segmenter's convolutions compute in bfloat16 or float16; boxes stay float32.

    For inference alone: of the small model the weights are rounded once, not at each photo.
    """
    backbone: Any = network.backbone
    if isinstance(network, GarmentMaskRCNN):
        heads: Any = network.roi_heads
        of_masks = (heads.mask_head, heads.mask_predictor.up, heads.mask_predictor.logits)
        for part in (backbone, network.rpn.head, heads.box_head.fc6, *of_masks):
            part.to(dtype)
        for part in (backbone, network.rpn.head, heads.mask_head):
            part.precision = dtype
        return
    plain = backbone.forward

    def forward(images: Tensor) -> dict[str, Tensor]:
        with torch.autocast(images.device.type, dtype):
            maps = plain(images)
        return OrderedDict((name, level.float()) for name, level in maps.items())

    backbone.forward = forward


def fuse(network: GarmentMaskRCNN) -> None:
    """Fuses a small model's convolutions, in the precision that they have; for inference alone."""
    network.backbone = fused(network.backbone)
    network.rpn.head = fused(network.rpn.head)
    network.roi_heads.mask_head = fused(network.roi_heads.mask_head)
    network.roi_heads.box_head.read_by_pixel()


def sure_enough(threshold: float | None) -> float:
    """Least score of a garment: the one given, or what suits a clean map."""
    return THRESHOLD if threshold is None else threshold


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is computed in hardware there."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    supported: bool = torch.cpu._is_avx512_bf16_supported()
    return supported


def _coco_person(path: str, *, device: str, threshold: float) -> MaskRCNNSegmenter:
    """torchvision's COCO model, of which only ``person`` is used."""
    network = resnet50_fpn_v2(90)
    if not path:
        weights = download_weights(COCO_PERSON_URL)
    else:
        weights = (read_torch_file if path.endswith(".pth") else read_weights)(Path(path))
    try:
        network.load_state_dict(weights.tensors)
    except RuntimeError as error:
        raise WeightsRejected("These weights do not fit maskrcnn_resnet50_fpn_v2.") from error
    stamp = ModelStamp(name="coco-person", version="1", sha256=weights.sha256)
    labels = [PERSON, *(f"coco-{i}" for i in range(2, 91))]
    segmenter = MaskRCNNSegmenter(
        network, stamp=stamp, labels=labels, device=device, threshold=threshold
    )
    segmenter.categories = (PERSON,)
    return segmenter
