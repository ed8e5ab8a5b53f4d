"""A run's folder: configuration, log in JSON lines, TensorBoard, curves, checkpoints."""

import json
from pathlib import Path
from typing import Any

import torch


class RunFolder:
    """Writes everything that a training run leaves behind.

    ``config.json``, ``log.jsonl``, ``tensorboard/``, ``curves.png``, ``samples/``,
    ``checkpoint.pt`` (to resume from) and ``model.safetensors`` (to use).
    """

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        (path / "config.json").write_text(json.dumps(config, indent=2), "utf-8")
        self._board: Any = None

    def log(self, **values: Any) -> None:
        """One line of ``log.jsonl``, and its numbers to TensorBoard."""
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")
        self._to_board(values)

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

    def draw_curves(self) -> None:
        """``curves.png``: loss and AP over steps."""
        from matplotlib.figure import Figure

        entries = self.entries()
        figure = Figure(figsize=(10, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        steps = [e for e in entries if "loss" in e]
        left.plot([e["step"] for e in steps], [e["loss"] for e in steps])
        left.set(xlabel="step", ylabel="loss")
        scored = [e for e in entries if "AP" in e]
        for key in ("AP", "AP50"):
            right.plot([e["epoch"] for e in scored], [e[key] for e in scored], "o-", label=key)
        right.set(xlabel="epoch", ylabel="mask AP on val")
        if scored:
            right.legend()
        figure.savefig(self.path / "curves.png", dpi=100)

    def _to_board(self, values: dict[str, Any]) -> None:
        if self._board is None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self.path / "tensorboard"))
        for name, value in values.items():
            if isinstance(value, float):
                self._board.add_scalar(name, value, values.get("step", values.get("epoch", 0)))
