"""A part of torchvision's detectors as a kind of our own."""

from typing import TypeVar

from torch import nn

Kind = TypeVar("Kind", bound=nn.Module)


def as_kind(kind: type[Kind], part: nn.Module) -> Kind:
    """The same part, with all its layers and settings, as another class."""
    own = kind.__new__(kind)
    own.__dict__ = part.__dict__
    return own
