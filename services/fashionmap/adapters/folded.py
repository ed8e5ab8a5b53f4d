"""MobileNetV2 without batch norms: each is folded into its convolution's bias."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

MIDDLE, LAST = 13, 18
"""Blocks whose features are pooled: 96 channels at stride 16 (texture), 1280 at stride 32."""
POOLED = 96 + 1280


def mobilenet_blocks() -> nn.ModuleList:
    """MobileNetV2's blocks (arXiv 1801.04381), biased and without norms."""
    return nn.ModuleList(without_norms(block) for block in mobilenet_v2(weights=None).features)


def pooled_twice(blocks: nn.ModuleList, pictures: Tensor) -> Tensor:
    """Means of the features at both depths, float32 (n, 1376), of pictures (n, 3, h, w)."""
    pooled, maps = [], pictures
    for index, block in enumerate(blocks):
        maps = block(maps)
        if index in (MIDDLE, LAST):
            pooled.append(maps.mean(dim=(2, 3)).float())
    return torch.cat(pooled, dim=1)


def fold_mobilenet(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of ``torchvision.models.mobilenet_v2`` as weights named ``blocks.N…`` without norms.

    w' = w·γ/√(σ²+ε), b' = β − μ·γ/√(σ²+ε), ε = 1e-5.
    """
    model = mobilenet_v2(weights=None, num_classes=state["classifier.1.bias"].shape[0])
    model.load_state_dict({**model.state_dict(), **{k: v.float() for k, v in state.items()}})
    return {
        f"blocks.{index}.{name}": value
        for index, block in enumerate(model.features)
        for name, value in _fold(block).state_dict().items()
    }


def without_norms(module: nn.Module) -> nn.Module:
    """The module with biased convolutions and without batch norms."""
    if isinstance(module, nn.Conv2d):
        return _biased(module)
    if isinstance(module, nn.BatchNorm2d):
        return nn.Identity()
    for name, child in module.named_children():
        setattr(module, name, without_norms(child))
    return module


def _biased(conv: nn.Conv2d) -> nn.Conv2d:
    kernel = (conv.kernel_size[0], conv.kernel_size[1])
    stride = (conv.stride[0], conv.stride[1])
    padding = kernel[0] // 2
    twin = nn.Conv2d(
        conv.in_channels, conv.out_channels, kernel, stride, padding, groups=conv.groups, bias=True
    )
    assert twin.bias is not None
    nn.init.zeros_(twin.bias)
    return twin


def _fold(module: nn.Module) -> nn.Module:
    children = list(module.named_children())
    for (name, first), (after, second) in pairwise(children):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            fused = torch.nn.utils.fusion.fuse_conv_bn_eval(first.eval(), second.eval())
            setattr(module, name, fused)
            setattr(module, after, nn.Identity())
    for name, child in module.named_children():
        if not isinstance(child, nn.Conv2d):
            setattr(module, name, _fold(child))
    return module
