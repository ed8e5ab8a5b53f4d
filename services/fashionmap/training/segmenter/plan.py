"""Everything that decides a training run, and what follows from it: rates, sizes, precision."""

import math
from dataclasses import dataclass, fields
from typing import Any

import torch

from fashionmap.errors import UsageError
from fashionmap.segmentation.model import has_bfloat16

Canvases = tuple[tuple[float, int, int], ...]

SMALL_CANVASES: Canvases = ((0.4, 480, 320), (0.8, 576, 384), (1.0, 672, 448))
LARGE_CANVASES: Canvases = ((0.5, 960, 640), (1.0, 1200, 800))
FREE = frozenset({"workers", "device", "evaluate_every", "checkpoint_every", "epochs", "minutes"})
"""What may change when a run is resumed; ``epochs`` and ``minutes`` change its schedule."""


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that decides a run; written to its ``config.json``.

    Attributes:
        model: Name in ``ARCHITECTURES``.
        epochs: Passes over the data.
        minutes: If above 0, the schedule follows the clock and ends after so many minutes
            (then a resumed run is not bit-equal, as machines' speeds differ).
        batch: Photos a step and process.
        accumulate: Steps whose gradients are summed before an update.
        lr: Peak learning rate of new layers; the pretrained body takes ``body_lr`` times it.
        warmup: Updates until the peak.
        canvases: ``(share of the run, height, width)``: training grows in resolution.
        evaluate_every: Epochs between evaluations.
        checkpoint_every: Updates between checkpoints.
        amp: Mixed precision.
        precision: ``bf16``, ``fp16``, or ``auto``: bf16 where the hardware has it, else fp16 on
            GPUs.
        frozen: Blocks of the small model's body that stay as they are.
        decay: Decay of the moving average of weights.
        workers: Processes that read photos.
        device: ``cpu`` or ``cuda``.
        seed: Of order, augmentation and initial weights.
        version: Version to stamp the weights with.
    """

    model: str = "garments-small"
    epochs: int = 40
    minutes: float = 0.0
    batch: int = 4
    accumulate: int = 1
    lr: float = 6e-4
    body_lr: float = 0.3
    warmup: int = 200
    canvases: Canvases = SMALL_CANVASES
    evaluate_every: int = 1
    checkpoint_every: int = 100
    amp: bool = True
    precision: str = "auto"
    frozen: int = 4
    decay: float = 0.9995
    workers: int = 0
    device: str = "cpu"
    seed: int = 0
    version: str = "0.1.0"

    def rate(self, *, step: int, progress: float) -> float:
        """Linear warm-up, then a cosine to 2 % of the peak (arXiv 1608.03983).

        Args:
            step: Updates done.
            progress: Share of the run that is done, in [0, 1].
        """
        warm = min((step + 1) / self.warmup, 1.0)
        return self.lr * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))

    def canvas(self, progress: float) -> tuple[int, int]:
        """``(height, width)`` of training samples at a share of the run."""
        for until, height, width in self.canvases:
            if progress < until:
                return height, width
        return self.canvases[-1][1:]

    def dtype(self) -> torch.dtype | None:
        """What convolutions compute in; None for float32."""
        if not self.amp:
            return None
        if self.precision == "auto":
            device = torch.device(self.device)
            fallback = torch.float16 if device.type == "cuda" else None
            return torch.bfloat16 if has_bfloat16(device) else fallback
        return {"bf16": torch.bfloat16, "fp16": torch.float16}[self.precision]

    def check_resumable(self, begun: dict[str, Any]) -> None:
        """Raises ``UsageError`` where a run was begun with another plan."""
        for field in fields(self):
            own, other = getattr(self, field.name), begun.get(field.name)
            if field.name == "canvases" and other is not None:
                other = tuple(tuple(c) for c in other)
            if field.name in begun and field.name not in FREE and own != other:
                raise UsageError(
                    f"This run was begun with {field.name} {other}, not {own}: resume it so, "
                    "or choose another --out."
                )


def one_canvas(text: str) -> Canvases:
    """``HEIGHTxWIDTH`` in pixels, of multiples of 32, for the whole run."""
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit()) or int(height) % 32 or int(width) % 32:
        raise UsageError(f"{text!r} is no size: write HEIGHTxWIDTH in multiples of 32, as 672x448.")
    if not int(height) or not int(width):
        raise UsageError("A size of 0 has no pixels.")
    return ((1.0, int(height), int(width)),)
