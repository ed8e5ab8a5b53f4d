"""Convolutions with what follows them, each in one step: for inference on CPUs.

oneDNN computes a convolution, its activation and the sum with a residual in one pass over memory.
The operator is the one that torch's compiler puts in their place, but that needs a C++ compiler
where it runs.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.mobilenetv2 import InvertedResidual

_ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
}


def can_fuse(device: torch.device) -> bool:
    """Whether this torch fuses there."""
    if device.type != "cpu":
        return False
    try:
        with torch.inference_mode():
            _Convolution(nn.Conv2d(1, 1, 1), nn.ReLU())(torch.zeros(1, 1, 2, 2))
    except (AttributeError, RuntimeError, TypeError):  # no oneDNN, or another form of its operator
        return False
    return True


def fused(module: nn.Module) -> nn.Module:
    """The module with each convolution fused with what follows it; for inference alone.

    Of containers, ``Sequential``s and MobileNetV2's blocks become new ones, all other modules keep
    their own ``forward``. The weights are taken as they are now, in their own precision.
    """
    if isinstance(module, nn.Conv2d):
        return _Convolution(module, None)
    if isinstance(module, InvertedResidual):
        steps = _fused_steps(module.conv)
        return _Residual(steps) if module.use_res_connect else nn.Sequential(*steps)
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*_fused_steps(module))
    for name, child in module.named_children():
        setattr(module, name, fused(child))
    return module


def sum_of(convolution: nn.Module, maps: Tensor, others: Tensor) -> Tensor:
    """What a convolution, fused or not, makes of maps, and other maps added to it."""
    if isinstance(convolution, _Convolution):
        return convolution.added_to(others, maps)
    done: Tensor = convolution(maps) + others
    return done


def _fused_steps(sequence: nn.Sequential) -> list[nn.Module]:
    done: list[nn.Module] = []
    steps = _steps(sequence)
    while steps:
        step = steps.pop(0)
        if isinstance(step, nn.Conv2d):
            follows = bool(steps) and type(steps[0]) in _ACTIVATIONS
            done.append(_Convolution(step, steps.pop(0) if follows else None))
        else:
            done.append(fused(step))
    return done


def _steps(sequence: nn.Sequential) -> list[nn.Module]:
    """What a sequence does, one after the other, those inside it opened."""
    steps: list[nn.Module] = []
    for child in sequence:
        if isinstance(child, nn.Sequential):
            steps += _steps(child)
        elif not isinstance(child, nn.Identity):
            steps.append(child)
    return steps


class _Convolution(nn.Module):
    """A convolution and its activation."""

    def __init__(self, conv: nn.Conv2d, activation: nn.Module | None) -> None:
        super().__init__()
        window = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
        name, scalars = _ACTIVATIONS[type(activation)] if activation else ("none", [])
        weight = conv.weight.detach().contiguous(memory_format=torch.channels_last)
        bias = None if conv.bias is None else conv.bias.detach()
        self._dtype, self._after = weight.dtype, (name, scalars, None)
        self._fixed: Any = (weight, bias, *window)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (n, c, h, w), which are brought to the weights' precision."""
        done: Tensor = torch.ops.mkldnn._convolution_pointwise(
            maps.to(self._dtype), *self._fixed, *self._after
        )
        return done

    def added_to(self, others: Tensor, maps: Tensor) -> Tensor:
        """The sum of other maps and the convolution's, without activation."""
        done: Tensor = torch.ops.mkldnn._convolution_pointwise.binary(
            maps.to(self._dtype), others.to(self._dtype), *self._fixed, "add", 1.0, None, [], None
        )
        return done


class _Residual(nn.Module):
    """A block whose last convolution is added to its input."""

    def __init__(self, steps: list[nn.Module]) -> None:
        super().__init__()
        *first, last = steps
        assert isinstance(last, _Convolution)
        self._first, self._last = nn.Sequential(*first), last

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (n, c, h, w) in the weights' precision."""
        return self._last.added_to(maps, self._first(maps))
