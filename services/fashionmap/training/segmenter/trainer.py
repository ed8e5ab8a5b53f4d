"""The training loop of a segmenter: steps, schedule, averaging, evaluation, resuming."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from fashionmap.adapters.folded import fold_mobilenet
from fashionmap.adapters.weights import Weights, read_weights, write_weights
from fashionmap.domain.taxonomy import Taxonomy
from fashionmap.segmentation.model import (
    ARCHITECTURES,
    MaskRCNNSegmenter,
    has_bfloat16,
    segmenter_of,
)
from fashionmap.training.evaluation import evaluate_segmenter
from fashionmap.training.segmenter.augment import Augmentation
from fashionmap.training.segmenter.run_folder import RunFolder
from fashionmap.training.segmenter.samples import GarmentSamples, Labelled, load_labelled


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that decides a run; written to its ``config.json``.

    Attributes:
        model: Name in ``ARCHITECTURES``.
        epochs: Passes over the data.
        minutes: If above 0, the schedule follows the clock and ends after so many minutes
            (then a resumed run is not bit-equal, as machines' speeds differ).
        batch: Photos a step.
        accumulate: Steps whose gradients are summed before an update.
        lr: Peak learning rate of new layers; the pretrained body takes ``body_lr`` times it.
        canvases: ``(share of the run, height, width)``: training grows in resolution.
        evaluate_every: Epochs between evaluations.
        amp: Mixed precision (bfloat16) in the backbone.
        frozen: Blocks of the body that stay as they are.
        decay: Decay of the moving average of weights.
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
    canvases: tuple[tuple[float, int, int], ...] = (
        (0.4, 480, 320),
        (0.8, 576, 384),
        (1.0, 672, 448),
    )
    evaluate_every: int = 4
    amp: bool = True
    frozen: int = 4
    decay: float = 0.998
    workers: int = 0
    device: str = "cpu"
    seed: int = 0
    version: str = "0.1.0"


class Trainer:
    """Trains one segmenter in one run folder; ``run`` continues where a checkpoint lies."""

    def __init__(
        self,
        plan: TrainingPlan,
        *,
        train: list[Labelled],
        val: tuple[dict[str, Any], Path],
        taxonomy: Taxonomy,
        folder: RunFolder,
        init: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.taxonomy, self.folder, self.say = plan, taxonomy, folder, say
        self.val = val
        self.samples = GarmentSamples(train, taxonomy, Augmentation(), seed=plan.seed)
        self.network: nn.Module = ARCHITECTURES[plan.model](len(taxonomy.categories))
        if init is not None:
            initialise(self.network, read_weights(init))
        self.network.to(plan.device, memory_format=torch.channels_last)
        body = self.network.backbone
        if hasattr(body, "freeze"):
            body.freeze(plan.frozen)
            body.low_precision = plan.amp and has_bfloat16(torch.device(plan.device))
        self.optimizer = torch.optim.AdamW(self._groups(), lr=plan.lr, weight_decay=0.02)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.epoch = self.step = 0
        self.elapsed = 0.0

    def run(self) -> Path:
        """Trains to the end of the plan; returns the path of the weights."""
        self._restore()
        while not self._finished():
            self._one_epoch()
            self.epoch += 1
            self._export()
            if self.epoch % self.plan.evaluate_every == 0 or self._finished():
                self._evaluate()
            self._checkpoint()
        return self.folder.path / "model.safetensors"

    def segmenter(self, threshold: float = 0.05) -> MaskRCNNSegmenter:
        """The averaged weights as a segmenter, rounded as they will be shipped."""
        halves = {
            k: v.half().float() if v.is_floating_point() else v for k, v in self.average.items()
        }
        weights = Weights(Path("training"), "0" * 64, self._metadata(), halves)
        return segmenter_of(weights, device=self.plan.device, threshold=threshold)

    def _one_epoch(self) -> None:
        self.samples.start_epoch(self.epoch, self._canvas())
        loader = DataLoader(
            self.samples,
            batch_size=self.plan.batch,
            collate_fn=_collate,
            num_workers=self.plan.workers,
            drop_last=True,
        )
        torch.manual_seed(self.plan.seed * 100_003 + self.epoch)
        self.network.train()
        began = last = time.monotonic()
        sums: dict[str, float] = {}
        for index, (images, targets) in enumerate(loader):
            losses = self._step(images, targets, update=(index + 1) % self.plan.accumulate == 0)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value
            now = time.monotonic()
            self.elapsed, last = self.elapsed + now - last, now
            if self._finished():
                break
        count = index + 1
        means = {name: round(value / count, 4) for name, value in sums.items()}
        rate = count * self.plan.batch / (time.monotonic() - began)
        entry = {"epoch": self.epoch, "step": self.step, **means}
        self.folder.log(**entry, lr=self._rate(), photos_per_second=round(rate, 2))
        self.say(f"epoch {self.epoch}: loss {means['loss']:.3f}, {rate:.1f} photos/s")

    def _step(
        self, images: list[Tensor], targets: list[dict[str, Tensor]], *, update: bool
    ) -> dict[str, float]:
        device = self.plan.device
        images = [i.to(device) for i in images]
        targets = [{k: v.to(device) for k, v in t.items()} for t in targets]
        losses = self.network(images, targets)
        loss = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(loss):
            self.optimizer.zero_grad(set_to_none=True)
            return {}
        (loss / self.plan.accumulate).backward()  # type: ignore[no-untyped-call]
        if update:
            self._update()
        return {"loss": float(loss.detach()), **{k: float(v.detach()) for k, v in losses.items()}}

    def _update(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate() * group["scale"]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        decay = min(self.plan.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if value.is_floating_point():
                    self.average[name].lerp_(value, 1 - decay)
                else:
                    self.average[name].copy_(value)

    def _progress(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        if self.plan.minutes > 0:
            return min(self.elapsed / (60 * self.plan.minutes), 1.0)
        steps = max(len(self.samples) // (self.plan.batch * self.plan.accumulate), 1)
        return min(max(self.step / (steps * self.plan.epochs), 0.0), 1.0)

    def _finished(self) -> bool:
        if self.plan.minutes > 0:
            return self._progress() >= 1.0
        return self.epoch >= self.plan.epochs

    def _rate(self) -> float:
        """Linear warm-up, then a cosine to 2 % of the peak (arXiv 1608.03983)."""
        warm = min((self.step + 1) / self.plan.warmup, 1.0)
        return (
            self.plan.lr * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self._progress())))
        )

    def _canvas(self) -> tuple[int, int]:
        share = self._progress() if self.plan.minutes > 0 else self.epoch / self.plan.epochs
        for until, height, width in self.plan.canvases:
            if share < until:
                return height, width
        return self.plan.canvases[-1][1:]

    def _groups(self) -> list[dict[str, Any]]:
        """The pretrained body learns slower; biases and gains do not decay."""
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                scale = self.plan.body_lr if name.startswith("backbone.body") else 1.0
                decay = 0.02 if parameter.ndim > 1 else 0.0
                groups.setdefault((scale, decay), []).append(parameter)
        return [{"params": p, "scale": s, "weight_decay": d} for (s, d), p in groups.items()]

    def _evaluate(self) -> None:
        truth, images = self.val
        tables, _ = evaluate_segmenter(self.segmenter(), truth, images)
        table = tables["segm"]
        self.folder.log(epoch=self.epoch, **table, box=tables["bbox"])
        self.folder.draw_curves()
        self.say(f"epoch {self.epoch}: val mask AP {table['AP']:.3f}, AP50 {table['AP50']:.3f}")

    def _metadata(self) -> dict[str, str]:
        return {
            "architecture": self.plan.model,
            "taxonomy": self.taxonomy.name,
            "name": self.plan.model,
            "version": self.plan.version,
        }

    def _export(self) -> None:
        write_weights(self.folder.path / "model.safetensors", self.average, self._metadata())

    def _checkpoint(self) -> None:
        self.folder.save_checkpoint(
            {
                "network": self.network.state_dict(),
                "average": self.average,
                "optimizer": self.optimizer.state_dict(),
                "epoch": self.epoch,
                "step": self.step,
                "elapsed": self.elapsed,
            }
        )

    def _restore(self) -> None:
        state = self.folder.load_checkpoint()
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.average = {k: v.to(self.plan.device) for k, v in state["average"].items()}
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.step, self.elapsed = state["epoch"], state["step"], state["elapsed"]


def initialise(network: nn.Module, weights: Weights) -> None:
    """Starts from a MobileNetV2 of torchvision's names, or from a checkpoint of the trainer.

    Of a checkpoint, layers of other shapes (another taxonomy) start anew.
    """
    tensors = weights.tensors
    if "classifier.1.bias" in tensors:
        folded = fold_mobilenet(tensors)
        tensors = {f"backbone.body.{name}": value for name, value in folded.items()}
    own = network.state_dict()
    fitting = {k: v for k, v in tensors.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict({**own, **fitting})


def train(
    plan: TrainingPlan,
    *,
    data: list[Path],
    taxonomy: Taxonomy,
    out: Path,
    init: Path | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Trains on the ``train.json`` of every folder and chooses by the first one's ``val.json``."""
    from fashionmap.training.datasets.coco_form import read_coco

    photos = []
    for folder in data:
        split = folder / "train.json"
        source = split if split.exists() else folder / "annotations.json"
        photos += load_labelled(source, folder / "images", taxonomy)
    val = read_coco(data[0] / "val.json")
    config = {**asdict(plan), "data": [str(d) for d in data], "init": str(init or "")}
    trainer = Trainer(
        plan,
        train=photos,
        val=(val, data[0] / "images"),
        taxonomy=taxonomy,
        folder=RunFolder(out, config),
        init=init,
        say=say,
    )
    return trainer.run()


def _collate(
    batch: list[tuple[Tensor, dict[str, Tensor]]],
) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    return [image for image, _ in batch], [target for _, target in batch]
