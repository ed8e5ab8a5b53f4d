"""Fused convolutions and other short ways of inference, against the long ones."""

import copy

import pytest
import torch
from torch import nn

from fashionmap.adapters.fused import can_fuse, fused
from fashionmap.segmentation.backbone import GarmentBackbone, probabilities
from fashionmap.segmentation.enlarged import enlarged_sum
from fashionmap.segmentation.mask_head import MaskPredictor, Places
from fashionmap.segmentation.network import BoxHead
from fashionmap.segmentation.roi_align import with_image

CPU = torch.device("cpu")
needs_onednn = pytest.mark.skipif(not can_fuse(CPU), reason="this torch has no oneDNN")


def randomised(module: nn.Module) -> nn.Module:
    """With biases that matter: new ones are zeros."""
    generator = torch.Generator().manual_seed(4)
    for parameter in module.parameters():
        if parameter.dim() == 1:
            parameter.data = torch.randn(parameter.shape, generator=generator)
    return module.eval().to(memory_format=torch.channels_last)


@needs_onednn
@torch.inference_mode()
def test_given_a_backbone_when_fused_then_its_features_are_the_same_at_any_size() -> None:
    plain = randomised(GarmentBackbone(channels=16, semantic_categories=5))
    convolutions = [m for m in plain.modules() if isinstance(m, nn.Conv2d)]
    short = fused(copy.deepcopy(plain))
    assert len(convolutions) > 60
    assert not [m for m in short.modules() if isinstance(m, (nn.Conv2d, nn.ReLU, nn.ReLU6))]
    for size in ((64, 96), (160, 32)):
        photo = torch.rand(1, 3, *size).to(memory_format=torch.channels_last) * 2 - 1
        expected, found = plain(photo), short(photo)
        assert list(found) == list(expected)
        for name, features in expected.items():
            torch.testing.assert_close(found[name], features, rtol=1e-4, atol=1e-4)


@needs_onednn
@torch.inference_mode()
def test_given_steps_within_steps_when_fused_then_each_is_done_once_and_in_order() -> None:
    inner = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.Identity(), nn.ReLU6())
    plain = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), inner, nn.MaxPool2d(2), nn.Conv2d(4, 2, 1))
    photo = torch.randn(2, 3, 8, 8) * 9
    expected = plain(photo)
    torch.testing.assert_close(fused(plain)(photo), expected, rtol=1e-4, atol=1e-4)


def test_given_a_device_without_onednn_when_asked_then_nothing_is_fused_there() -> None:
    assert not can_fuse(torch.device("cuda"))


@torch.inference_mode()
def test_given_a_box_head_when_it_reads_by_pixel_then_it_says_the_same() -> None:
    head = BoxHead(6 * 49, 8).eval()
    pooled = torch.randn(5, 7, 7, 6).permute(0, 3, 1, 2)
    expected = head(pooled)
    head.read_by_pixel()
    torch.testing.assert_close(head(pooled), expected)


@torch.inference_mode()
def test_given_labels_when_masks_are_predicted_for_them_alone_then_they_are_as_among_all() -> None:
    predictor, labels = MaskPredictor(8, 5), torch.tensor([1, 4, 0, 2])
    boxes = [
        torch.tensor([[3.0, 5, 90, 40], [-9, 60, 70, 130]]),
        torch.tensor([[0.0, 0, 9, 9]] * 2),
    ]
    places = Places((torch.randn(2, 5, 30, 20) * 6).softmax(1), with_image(boxes))
    deep = torch.randn(4, 8, 14, 14), places
    among_all = predictor(deep)[torch.arange(4), labels, None]
    assert among_all.shape == (4, 1, 56, 56)
    torch.testing.assert_close(predictor.of_labels(deep, labels), among_all, rtol=1e-3, atol=1e-3)


def test_given_logits_far_apart_when_made_probabilities_then_they_are_softmax() -> None:
    logits = torch.randn(2, 15, 6, 7) * 8
    torch.testing.assert_close(probabilities(logits), logits.softmax(1), rtol=1e-4, atol=1e-6)
    assert probabilities(logits + 300).isfinite().all()


def test_given_maps_of_several_sizes_when_summed_by_rows_then_as_by_torch_in_training() -> None:
    maps = [torch.randn(1, 6, *size) for size in ((24, 18), (12, 9), (6, 5), (3, 2))]
    everywhere = torch.randn(1, 6, 1, 1)
    by_torch = enlarged_sum(maps, everywhere)  # gradients are on
    with torch.inference_mode():
        by_rows = enlarged_sum(maps, everywhere)
        half = enlarged_sum([m.bfloat16() for m in maps], everywhere.bfloat16())
    torch.testing.assert_close(by_rows, by_torch, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(half.float(), by_torch, rtol=0.05, atol=0.05)
    assert half.dtype is torch.bfloat16
