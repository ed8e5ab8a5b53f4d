"""The training loop of a segmenter: updates, averaging, evaluation, resuming."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fashionmap.adapters.weights import Weights, write_weights
from fashionmap.domain.taxonomy import TAXONOMIES, Taxonomy
from fashionmap.segmentation.model import ARCHITECTURES, MaskRCNNSegmenter, segmenter_of
from fashionmap.training.datasets.contact_sheet import draw_sheet
from fashionmap.training.evaluation import evaluate_segmenter
from fashionmap.training.segmenter.augment import Augmentation
from fashionmap.training.segmenter.batches import Batch, EpochOrder, groups_of, seed_batch
from fashionmap.training.segmenter.plan import TrainingPlan
from fashionmap.training.segmenter.ranks import Ranks
from fashionmap.training.segmenter.run_folder import RunFolder
from fashionmap.training.segmenter.samples import GarmentSamples, Labelled
from fashionmap.training.segmenter.start import initialise

SHOWN, SURE = 12, 0.4
"""Val photos on a sample sheet, and the least score that is drawn."""


class Trainer:
    """Trains one segmenter in one run folder; ``run`` continues where a checkpoint lies.

    Everything random follows from the seed and a batch's place in its epoch, so a run that was
    killed anywhere goes on from its last checkpoint to the same weights.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        *,
        train: list[Labelled],
        val: tuple[dict[str, Any], Path],
        taxonomy: Taxonomy,
        folder: RunFolder,
        init: Weights | None = None,
        ranks: Ranks | None = None,
        about: dict[str, str] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.taxonomy, self.folder, self.val = plan, taxonomy, folder, val
        self.ranks, self.about = ranks or Ranks(), about or {}
        self.say = say if self.ranks.first else lambda _: None
        self.samples = GarmentSamples(train, taxonomy, Augmentation(), seed=plan.seed)
        self.network: nn.Module = ARCHITECTURES[plan.model](len(taxonomy.categories))
        if init is not None:
            initialise(self.network, init)
        self.network.to(plan.device, memory_format=torch.channels_last)
        self._autocast = self._lower_precision()
        self.optimizer = torch.optim.AdamW(self._groups(), lr=plan.lr, weight_decay=0.02)
        halves = plan.dtype() is torch.float16
        self.scaler = torch.amp.GradScaler(torch.device(plan.device).type, enabled=halves)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.epoch = self.group = self.step = self.skipped = 0
        self.elapsed, self.best = 0.0, -1.0
        self.canvas = plan.canvas(0.0)
        self.sums: dict[str, float] = {}

    def run(self) -> Path:
        """Trains to the end of the plan; returns the path of the weights."""
        self._restore()
        while not self._finished():
            self._one_epoch()
            self.epoch, self.group, self.sums = self.epoch + 1, 0, {}
            if self.ranks.first:
                self._export("model")
                if self.epoch % self.plan.evaluate_every == 0 or self._finished():
                    self._evaluate()
                self._checkpoint()
            self.ranks.wait()
        return self.folder.path / "model.safetensors"

    def segmenter(self, threshold: float = 0.05) -> MaskRCNNSegmenter:
        """The averaged weights as a segmenter, rounded as they will be shipped."""
        halves = {
            k: v.half().float() if v.is_floating_point() else v for k, v in self.average.items()
        }
        weights = Weights(Path("training"), "0" * 64, self._metadata(), halves)
        return segmenter_of(weights, device=self.plan.device, threshold=threshold)

    def _one_epoch(self) -> None:
        """The epoch's updates from ``self.group`` on."""
        if self.group == 0:
            self.canvas = self.plan.canvas(self._progress(1))
        self.samples.start_epoch(self.epoch, self.canvas)
        plan = self.plan
        order = EpochOrder(len(self.samples), plan.batch, plan.accumulate, self.ranks.world)
        pin = plan.device.startswith("cuda")
        self._train_mode()
        began, first, last = time.monotonic(), self.group, time.monotonic()
        for group, batches in groups_of(
            self.samples, order, start=first, ranks=self.ranks, workers=plan.workers, pin=pin
        ):
            self._update(batches, order)
            self.group = group + 1
            now = time.monotonic()
            self.elapsed, last = self.elapsed + now - last, now
            if plan.minutes > 0:
                self.elapsed = self.ranks.agree(self.elapsed, plan.device)
            if self._finished():
                break
            if self.step % plan.checkpoint_every == 0 and self.ranks.first:
                self._checkpoint()
        photos = (self.group - first) * plan.batch * plan.accumulate * self.ranks.world
        self._log_epoch(photos / (time.monotonic() - began))

    def _log_epoch(self, rate: float) -> None:
        count = max(self.sums.get("updates", 0.0), 1.0)
        means = {k: round(v / count, 4) for k, v in self.sums.items() if k != "updates"}
        entry = {"epoch": self.epoch, "step": self.step, **means, "skipped": self.skipped}
        lr = self.optimizer.param_groups[0]["lr"]
        self.folder.log(**entry, lr=lr, photos_per_second=round(rate, 2))
        loss = means.get("loss", float("nan"))
        self.say(f"epoch {self.epoch}: loss {loss:.3f}, {rate:.1f} photos/s")

    def _update(self, batches: list[Batch], order: EpochOrder) -> None:
        """One update from a group of batches. One whose gradients are no numbers is skipped."""
        rate = self.plan.rate(step=self.step, progress=self._progress(order.groups))
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        for batch in batches:
            self._add_gradients(batch, order.weight(batch[0], self.group))
        self.ranks.sum_gradients(self.network.parameters())
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        if bool(torch.isfinite(norm)):
            self.scaler.step(self.optimizer)
        else:
            self.skipped += 1
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._average()

    def _add_gradients(self, batch: Batch, weight: float) -> None:
        number, images, targets = batch
        device = self.plan.device
        seed_batch(self.plan.seed, self.epoch, number)
        images = [i.to(device, non_blocking=True) for i in images]
        targets = [{k: v.to(device, non_blocking=True) for k, v in t.items()} for t in targets]
        with self._autocast:
            losses = self.network(images, targets)
        loss = torch.stack([value.float() for value in losses.values()]).sum()
        self.scaler.scale(loss * weight).backward()  # type: ignore[no-untyped-call]
        if not bool(torch.isfinite(loss)):
            return
        self.sums["updates"] = self.sums.get("updates", 0.0) + weight
        for name, value in {"loss": loss, **losses}.items():
            self.sums[name] = self.sums.get(name, 0.0) + weight * float(value.detach())

    def _average(self) -> None:
        decay = min(self.plan.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if value.is_floating_point():
                    self.average[name].lerp_(value, 1 - decay)
                else:
                    self.average[name].copy_(value)

    def _progress(self, groups: int) -> float:
        """Share of the run that is done, in [0, 1]; an epoch has so many groups."""
        if self.plan.minutes > 0:
            return min(self.elapsed / (60 * self.plan.minutes), 1.0)
        return min((self.epoch + self.group / groups) / self.plan.epochs, 1.0)

    def _finished(self) -> bool:
        if self.plan.minutes > 0:
            return self.elapsed >= 60 * self.plan.minutes
        return self.epoch >= self.plan.epochs

    def _lower_precision(self) -> AbstractContextManager[Any]:
        """Of the small model only the backbone is lowered; others are whole, as torchvision's."""
        body: Any = self.network.backbone
        dtype = self.plan.dtype()
        if hasattr(body, "precision"):
            body.freeze(self.plan.frozen)
            body.precision = dtype
            return nullcontext()
        kind = torch.device(self.plan.device).type
        return torch.autocast(kind, dtype or torch.bfloat16, enabled=dtype is not None)

    def _train_mode(self) -> None:
        """Batch norms of a pretrained body keep their statistics: batches here are small."""
        self.network.train()
        backbone: Any = self.network.backbone
        for module in backbone.body.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

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
        tables, results = evaluate_segmenter(self.segmenter(), truth, images)
        table = tables["segm"]
        self.folder.log(epoch=self.epoch, step=self.step, **table, box=tables["bbox"])
        self.folder.draw_curves()
        sheet = draw_sheet({**truth, "annotations": results}, images, count=SHOWN, least=SURE)
        self.folder.save_sample(self.epoch, sheet)
        if table["AP"] > self.best:
            self.best = table["AP"]
            self._export("best")
        self.say(f"epoch {self.epoch}: val mask AP {table['AP']:.3f}, AP50 {table['AP50']:.3f}")

    def _metadata(self) -> dict[str, str]:
        own = {
            "architecture": self.plan.model,
            "taxonomy": self.taxonomy.name,
            "name": self.plan.model,
            "version": self.plan.version,
        }
        if self.taxonomy.name not in TAXONOMIES:
            own["categories"] = json.dumps(self.taxonomy.categories)
        return {**self.about, **own}

    def _export(self, name: str) -> None:
        path = self.folder.path / f"{name}.safetensors"
        write_weights(path, self.average, self._metadata())

    def _checkpoint(self) -> None:
        self.folder.save_checkpoint(
            {
                "network": self.network.state_dict(),
                "average": self.average,
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
                "place": {k: getattr(self, k) for k in PLACE},
                "log_size": self.folder.log_size(),
            }
        )

    def _restore(self) -> None:
        state = self.folder.load_checkpoint()
        if state is None:
            return
        self.plan.check_resumable(self.folder.begun_with())
        self.network.load_state_dict(state["network"])
        self.average = {k: v.to(self.plan.device) for k, v in state["average"].items()}
        self.optimizer.load_state_dict(state["optimizer"])
        if state.get("scaler"):
            self.scaler.load_state_dict(state["scaler"])
        for name, value in state.get("place", state).items():
            if name in PLACE:
                setattr(self, name, value)
        self.folder.rewind_log(state.get("log_size", self.folder.log_size()))
        self.ranks.wait()
        self.say(f"going on at epoch {self.epoch}, update {self.group}")


PLACE = ("epoch", "group", "step", "skipped", "elapsed", "best", "canvas", "sums")
"""Where a run is: what a checkpoint holds beside tensors."""


def settings_of(
    plan: TrainingPlan, *, data: list[Path], init: str, taxonomy: str
) -> dict[str, Any]:
    """What ``config.json`` holds."""
    return {**asdict(plan), "data": [str(d) for d in data], "init": init, "taxonomy": taxonomy}
