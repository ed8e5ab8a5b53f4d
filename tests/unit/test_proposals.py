"""Proposals from the best anchors alone, against torchvision's, which decodes them all."""

import numpy as np
import pytest
import torch
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork

from fashionmap.segmentation.network import LONGEST_SIDE, SMALL_SIDE, GarmentMaskRCNN


@pytest.fixture(scope="module")
def network() -> GarmentMaskRCNN:
    torch.manual_seed(5)
    made = GarmentMaskRCNN(14).eval()
    with torch.no_grad():  # offsets and scores that spread as trained ones do
        made.rpn.head.offsets.weight.mul_(20)
        made.rpn.head.objectness.weight.mul_(20)
    return made


@pytest.mark.parametrize(("height", "width"), [(320, 224), (96, 416), (64, 64)])
def test_given_feature_maps_when_proposed_then_the_boxes_are_torchvisions(
    network: GarmentMaskRCNN, height: int, width: int
) -> None:
    sizes = [(height, width), (height - 20, width - 7)]
    images = ImageList(torch.randn(2, 3, height, width), sizes)
    with torch.inference_mode():
        features = network.backbone(images.tensors)
        ours, losses = network.rpn(images, features)
        theirs, _ = RegionProposalNetwork.forward(network.rpn, images, features)
    assert not losses
    for own, other, size in zip(ours, theirs, sizes, strict=True):
        # in any order: logits that differ may be equal probabilities
        apart = (own[:, None] - other).abs().amax(dim=2)
        assert apart.min(dim=0).values.max() < 1e-2
        assert apart.min(dim=1).values.max() < 1e-2
        assert len(own) > 5
        assert own[:, 3].max() <= size[0]


@pytest.mark.parametrize(
    ("photo", "fitted"),
    [((825, 550), (624, 416)), ((200, 300), (416, 624)), ((1600, 400), (800, 200))],
)
def test_given_a_photo_when_fitted_then_it_has_the_size_that_torchvision_would_give(
    network: GarmentMaskRCNN, photo: tuple[int, int], fitted: tuple[int, int]
) -> None:
    small = network.transform.fitted(np.zeros((*photo, 3), np.uint8))
    assert small.shape == (*fitted, 3)
    assert min(fitted) == SMALL_SIDE or max(fitted) == LONGEST_SIDE
