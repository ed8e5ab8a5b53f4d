"""A run's folder: configuration, log in JSON lines, TensorBoard, curves, samples, checkpoints."""

import json
import math
from pathlib import Path
from typing import Any

import torch

from fashionmap.errors import UsageError


class RunFolder:
    """Writes everything that a training run leaves behind.

    ``config.json``, ``log.jsonl``, ``tensorboard/``, ``curves.png``, ``samples/``,
    ``checkpoint.pt`` (to resume from), ``model.safetensors`` (to use) and ``best.safetensors``
    (the best on val so far).
    """

    def __init__(self, path: Path, config: dict[str, Any], *, writes: bool = True) -> None:
        self.path, self._writes = path, writes
        self._board: Any = None
        if writes:
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
            if not (path / "checkpoint.pt").exists():
                (path / "config.json").write_text(json.dumps(config, indent=2), "utf-8")

    def begun_with(self) -> dict[str, Any]:
        """The configuration that the run was begun with."""
        try:
            config: dict[str, Any] = json.loads((self.path / "config.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return config

    def log(self, **values: Any) -> None:
        """One line of ``log.jsonl``, and its numbers to TensorBoard."""
        if not self._writes:
            return
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(_finite(values), allow_nan=False) + "\n")
        self._to_board(values)

    def log_size(self) -> int:
        """Bytes of ``log.jsonl``, to be kept in a checkpoint."""
        path = self.path / "log.jsonl"
        return path.stat().st_size if path.exists() else 0

    def rewind_log(self, size: int) -> None:
        """Cuts off what was logged after a checkpoint: it will be logged again."""
        if self._writes and (self.path / "log.jsonl").exists():
            with (self.path / "log.jsonl").open("r+b") as file:
                file.truncate(size)

    def entries(self) -> list[dict[str, Any]]:
        """Everything logged so far."""
        path = self.path / "log.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replaces the checkpoint whole, so that a kill leaves the old one or the new one."""
        part = self.path / "checkpoint.pt.part"
        torch.save(state, part)
        part.replace(self.path / "checkpoint.pt")

    def load_checkpoint(self) -> dict[str, Any] | None:
        """The last checkpoint of this run, tensors and plain values only."""
        path = self.path / "checkpoint.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        return state

    def save_sample(self, epoch: int, picture: bytes) -> None:
        """``samples/epoch-0004.png``."""
        (self.path / "samples").mkdir(exist_ok=True)
        (self.path / "samples" / f"epoch-{epoch:04d}.png").write_bytes(picture)

    def draw_curves(self) -> None:
        """``curves.png``: loss and AP over steps."""
        from matplotlib.figure import Figure

        entries = self.entries()
        figure = Figure(figsize=(10, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        steps = [e for e in entries if "loss" in e]
        left.plot([e["step"] for e in steps], [e["loss"] for e in steps])
        left.set(xlabel="step", ylabel="loss")
        scored = [e for e in entries if e.get("AP") is not None]
        for key in ("AP", "AP50"):
            right.plot([e["epoch"] for e in scored], [e[key] for e in scored], "o-", label=key)
        right.set(xlabel="epoch", ylabel="mask AP on val")
        if scored:
            right.legend()
        figure.savefig(self.path / "curves.png", dpi=100)

    def _to_board(self, values: dict[str, Any]) -> None:
        if self._board is None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(
                str(self.path / "tensorboard"), purge_step=values.get("step", 0)
            )
        for name, value in values.items():
            if isinstance(value, float) and math.isfinite(value):
                self._board.add_scalar(name, value, values.get("step", 0))
        self._board.flush()


def _finite(value: Any) -> Any:
    """The same with None for what is no number: JSON has no NaN."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
