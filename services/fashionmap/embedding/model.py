"""Embedders by name: the one that ships, and torchvision's classifiers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from fashionmap.adapters.devices import device_of
from fashionmap.adapters.fused import can_fuse, fused
from fashionmap.adapters.threads import photos_at_once
from fashionmap.adapters.weights import (
    Weights,
    download_weights,
    read_weights,
    shipped_weights,
)
from fashionmap.domain.photo import ModelStamp
from fashionmap.embedding.network import GarmentEmbedderNetwork
from fashionmap.errors import UsageError, WeightsRejected

DEFAULT = "garments-embedder"
NEUTRAL = 0.5
"""Grey level that fills what the mask leaves out."""
BATCH = 16


class NetworkEmbedder:
    """A network that maps square pictures to vectors, behind the ``Embedder`` port."""

    def __init__(
        self,
        network: nn.Module,
        *,
        stamp: ModelStamp,
        dimensions: int,
        side: int,
        mean: Sequence[float],
        std: Sequence[float],
        device: str,
    ) -> None:
        self.stamp, self.dimensions = stamp, dimensions
        self._side, self._device = side, torch.device(device)
        self.at_once = photos_at_once(device)
        self._mean = torch.tensor(mean).view(1, 3, 1, 1)
        self._std = torch.tensor(std).view(1, 3, 1, 1)
        self._network = network.eval().to(self._device)
        self._network = self._network.to(memory_format=torch.channels_last)
        if isinstance(network, GarmentEmbedderNetwork) and can_fuse(self._device):
            self._network = fused(self._network)

    def embed(self, cutouts: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Vectors float32 (n, dimensions) of length 1. Cut-outs: uint8 RGBA (h, w, 4)."""
        vectors = np.zeros((len(cutouts), self.dimensions), dtype=np.float32)
        for first in range(0, len(cutouts), BATCH):
            chunk = cutouts[first : first + BATCH]
            batch = np.stack([on_neutral_square(c, self._side) for c in chunk])
            vectors[first : first + len(chunk)] = self._run(batch)
        return vectors

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = torch.from_numpy(batch).permute(0, 3, 1, 2)
            pixels = ((pixels - self._mean) / self._std).to(self._device)
            output: Tensor = self._network(pixels.contiguous(memory_format=torch.channels_last))
            unit = functional.normalize(output.flatten(1).float(), dim=1)
        result: NDArray[np.float32] = unit.cpu().numpy()
        return result


def on_neutral_square(cutout: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """A cut-out in the middle of a grey square, aspect kept: float32 (side, side, 3) in [0, 1].

    Colours are mixed with the grey by alpha; the margin is 1/16 of the side all around.
    """
    room = side - side // 8
    scale = room / max(cutout.shape[:2])
    size = (max(round(cutout.shape[1] * scale), 1), max(round(cutout.shape[0] * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    alpha = cutout[..., 3:].astype(np.float32) / 255
    mixed = cutout[..., :3].astype(np.float32) / 255 * alpha + NEUTRAL * (1 - alpha)
    canvas = np.full((side, side, 3), NEUTRAL, dtype=np.float32)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(mixed, size, interpolation=how)
    return canvas


def load_embedder(
    name: str = DEFAULT,
    *,
    device: str = "auto",
    weights_dir: Path | None = None,
    weights: Path | None = None,
) -> NetworkEmbedder:
    """An embedder by name.

    Args:
        name: ``garments-embedder``, a ``.safetensors`` file of `fashionmap train-embedder`, or one
            of torchvision's ``vgg16`` (fc2, as the study), ``resnet50``, ``inception_v3``,
            ``convnext_*``, ``vit_*``, ``mobilenet_v2``.
        device: ``cpu``, ``cuda`` … or ``auto``.
        weights_dir: Folder to look in instead of the package's own.
        weights: torchvision weights as safetensors, instead of torchvision's download.

    Raises:
        UsageError: There is no embedder of that name.
        WeightsRejected: The weights are missing, broken or of another model.
    """
    place = device_of(device)
    if name == DEFAULT and weights is None:
        return garment_embedder(shipped_weights(name, weights_dir), device=place)
    if name == DEFAULT or name.endswith(".safetensors"):
        return garment_embedder(read_weights(weights or Path(name)), device=place)
    return _torchvision_embedder(name, weights=weights, device=place)


def garment_embedder(weights: Weights, *, device: str) -> NetworkEmbedder:
    """An embedder from weights of `fashionmap train-embedder`."""
    if weights.metadata.get("architecture") != DEFAULT:
        raise WeightsRejected(f"{weights.path} holds no embedder of fashionMap's trainer.")
    dimensions = int(weights.metadata["dimensions"])
    network = GarmentEmbedderNetwork(dimensions)
    try:
        network.load_state_dict(weights.tensors)
    except RuntimeError as error:
        raise WeightsRejected(f"{weights.path} does not fit {DEFAULT}.") from error
    own = weights.metadata
    stamp = ModelStamp(own.get("name", DEFAULT), own.get("version", "0"), weights.sha256)
    side = int(weights.metadata.get("side", "160"))
    return NetworkEmbedder(
        network,
        stamp=stamp,
        dimensions=dimensions,
        side=side,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        device=device,
    )


def _vgg16_fc2(model: Any) -> None:
    model.classifier = model.classifier[:5]


def _drop_head(attribute: str) -> Callable[[Any], None]:
    def drop(model: Any) -> None:
        setattr(model, attribute, nn.Identity())

    return drop


def _convnext_features(model: Any) -> None:
    model.classifier[2] = nn.Identity()


_HEADS: dict[str, tuple[Callable[[Any], None], int]] = {
    "vgg16": (_vgg16_fc2, 224),
    "resnet50": (_drop_head("fc"), 224),
    "inception_v3": (_drop_head("fc"), 299),
    "mobilenet_v2": (_drop_head("classifier"), 224),
    "convnext": (_convnext_features, 224),
    "vit": (_drop_head("heads"), 224),
}


def _torchvision_embedder(name: str, *, weights: Path | None, device: str) -> NetworkEmbedder:
    family = name if name in _HEADS else name.split("_", maxsplit=1)[0]
    if family not in _HEADS or name not in models.list_models(module=models):
        known = ", ".join(
            ["garments-embedder", "vgg16", "resnet50", "inception_v3", "mobilenet_v2"]
        )
        raise UsageError(f"There is no embedder {name!r}: name {known}, convnext_* or vit_*.")
    settings = {"init_weights": False} if family in ("vgg16", "inception_v3") else {}
    model = models.get_model(name, weights=None, **settings)
    stamp = _fill(model, name, weights)
    head, side = _HEADS[family]
    head(model)
    with torch.inference_mode():
        dimensions = int(model.eval()(torch.zeros(1, 3, side, side)).flatten(1).shape[1])
    return NetworkEmbedder(
        model,
        stamp=stamp,
        dimensions=dimensions,
        side=side,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        device=device,
    )


def _fill(model: nn.Module, name: str, path: Path | None) -> ModelStamp:
    """Loads torchvision's weights from a file or by its download."""
    url: str = models.get_model_weights(name).DEFAULT.url
    weights = read_weights(path) if path is not None else download_weights(url)
    try:
        model.load_state_dict(weights.tensors)
    except RuntimeError as error:
        raise WeightsRejected(f"These weights do not fit torchvision's {name}.") from error
    return ModelStamp(name, "1", weights.sha256)
