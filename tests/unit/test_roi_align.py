"""RoIAlign as bags of rows: the same values and gradients as torchvision's."""

import pytest
import torch
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign, roi_align

from fashionmap.segmentation.roi_align import (
    Grid,
    PyramidRoIAlign,
    align,
    pooled,
    pooled_by_level,
    sampled,
    with_image,
)

STRIDES = (4, 8, 16, 32)
SIZE = (384, 256)


def maps() -> list[Tensor]:
    """Levels of three images, channels last."""
    random = torch.Generator().manual_seed(1)
    shapes = [(3, 8, SIZE[0] // stride, SIZE[1] // stride) for stride in STRIDES]
    made = [torch.randn(shape, generator=random) for shape in shapes]
    return [m.contiguous(memory_format=torch.channels_last).requires_grad_() for m in made]


def boxes() -> list[Tensor]:
    """No box, few, and many: slivers, whole images, and boxes that stick out."""
    random = torch.Generator().manual_seed(2)
    found = []
    for count in (0, 7, 90):
        corner = torch.rand(count, 2, generator=random) * torch.tensor([250.0, 380.0]) - 20
        extent = torch.rand(count, 2, generator=random) ** 2 * torch.tensor([250.0, 380.0]) + 0.5
        found.append(torch.cat([corner, corner + extent], dim=1))
    return found


@pytest.mark.parametrize("size", [7, 14])
def test_given_a_pyramid_when_pooled_then_values_and_gradients_are_torchvisions(size: int) -> None:
    levels, regions = maps(), boxes()
    theirs = MultiScaleRoIAlign(["0", "1", "2", "3"], size, 2)(
        {str(i): level for i, level in enumerate(levels)}, regions, [SIZE] * 3
    )
    ours = PyramidRoIAlign(STRIDES, size=size, ratio=2)(levels, regions)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    pull = torch.randn(theirs.shape, generator=torch.Generator().manual_seed(3))
    expected = torch.autograd.grad(theirs, levels, pull)
    found = torch.autograd.grad(ours, levels, pull)
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(own, other, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize(("ratio", "centred"), [(1, True), (2, True), (2, False)])
def test_given_one_map_when_aligned_then_values_are_torchvisions(ratio: int, centred: bool) -> None:
    features, regions = maps()[0].detach(), with_image(boxes())
    theirs = roi_align(features, regions, 9, 0.25, ratio, centred)
    ours = align(features, regions, size=9, stride=4, ratio=ratio, centred=centred)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_given_levels_in_bfloat16_when_pooled_then_nearly_as_whole_ones_are() -> None:
    levels, regions = [m.detach() for m in maps()], with_image(boxes())
    level = torch.arange(len(regions)) % 4
    grid = Grid(STRIDES, size=7, ratio=2)
    expected = pooled_by_level(levels, regions, level, grid)
    torch.testing.assert_close(pooled(levels, regions, level, grid), expected, atol=1e-4, rtol=1e-4)
    halves = [m.bfloat16() for m in levels]
    for pool in (pooled, pooled_by_level):
        found = pool(halves, regions, level, grid)
        assert found.dtype is torch.bfloat16
        torch.testing.assert_close(found.float(), expected, atol=0.04, rtol=0.02)


def test_given_a_map_a_region_when_sampled_then_values_are_torchvisions() -> None:
    features, regions = maps()[0].detach(), with_image(boxes())
    channel = torch.arange(len(regions)) % 8
    theirs = roi_align(features, regions, 56, 0.25, 1, True)
    expected = theirs[torch.arange(len(regions)), channel]
    chosen = features[regions[:, 0].long(), channel]
    found = sampled(chosen, regions[:, 1:], size=56, stride=4)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_given_another_device_when_sampled_then_all_of_it_is_done_there() -> None:
    maps, regions = torch.zeros(5, 30, 20, device="meta"), torch.zeros(5, 4, device="meta")
    assert sampled(maps, regions, size=56, stride=4).device.type == "meta"


def test_given_no_boxes_when_pooled_then_nothing_comes_of_it() -> None:
    found = PyramidRoIAlign(STRIDES, size=7, ratio=2)(maps(), [torch.zeros(0, 4)] * 3)
    assert found.shape == (0, 8, 7, 7)
    assert sampled(torch.zeros(0, 9, 9), torch.zeros(0, 4), size=56, stride=4).shape == (0, 56, 56)
