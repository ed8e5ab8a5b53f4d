"""What a training starts from."""

from pathlib import Path

from torch import nn

from fashionmap.adapters.folded import fold_mobilenet
from fashionmap.adapters.weights import (
    Weights,
    download_weights,
    load_fitting,
    read_torch_file,
    read_weights,
    shipped_weights,
)
from fashionmap.errors import UsageError
from fashionmap.segmentation.model import COCO_PERSON_URL, SHIPPED


def initial_weights(name: str, model: str) -> Weights:
    """Weights by what the user wrote.

    Args:
        name: ``coco`` (torchvision's, downloaded; for resnet50_fpn_v2), ``garments-small`` (what
            ships), a ``.safetensors`` file, or one of torchvision's ``.pth`` files under its own
            name, which carries its hash.
        model: The model to train.

    Raises:
        UsageError: The name does not go with the model.
        WeightsRejected: The weights are missing or damaged.
    """
    if name == "coco":
        if model != "resnet50_fpn_v2":
            raise UsageError("COCO weights are for --model resnet50_fpn_v2.")
        return download_weights(COCO_PERSON_URL)
    if name == SHIPPED:
        return shipped_weights(name)
    path = Path(name)
    return read_torch_file(path) if path.suffix == ".pth" else read_weights(path)


def initialise(network: nn.Module, weights: Weights) -> int:
    """Fills a network from a MobileNetV2 of torchvision's names, or from a whole segmenter.

    Layers of other shapes (another taxonomy) start anew.

    Returns:
        How many tensors fitted.

    Raises:
        UsageError: None did.
    """
    tensors = weights.tensors
    if "classifier.1.bias" in tensors:
        folded = fold_mobilenet(tensors)
        tensors = {f"backbone.body.{name}": value for name, value in folded.items()}
    count = load_fitting(network, tensors)
    if not count:
        raise UsageError(f"{weights.path} has nothing that fits this model.")
    return count
