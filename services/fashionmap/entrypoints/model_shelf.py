"""Putting models on the shelf: from a weights file or a run's folder into a store."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from fashionmap.adapters.model_store import ModelRecord, ModelStore, card_of
from fashionmap.adapters.weights import Weights, read_weights
from fashionmap.errors import UsageError, WeightsRejected

FIGURES = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR100")


def push_model(
    store: ModelStore,
    path: Path,
    *,
    name: str = "",
    version: str = "",
    card: Path | None = None,
    licence: str = "",
    metrics: Path | None = None,
) -> tuple[ModelRecord, bool]:
    """Adds a model to a store; returns its record, and whether it is new there.

    Args:
        store: Where to.
        path: A ``.safetensors`` file, or a run's folder: then its best weights, with their figures.
        name: Another name than the one in the file.
        version: Another version than the one in the file.
        card: Model card in Markdown; a short one is made where there is none.
        licence: Of the weights.
        metrics: JSON object of figures.

    Raises:
        WeightsRejected: The file is no model of ours.
        UsageError: The version is there with other weights.
    """
    figures = _figures(metrics) if metrics else _run_figures(path)
    file = _weights_of(path)
    weights = read_weights(file)
    record = record_of(weights, licence=licence, metrics=figures)
    record = replace(record, name=name or record.name, version=version or record.version)
    text = card.read_text("utf-8") if card else card_of(record)
    return record, store.push(record, file.read_bytes(), text)


def record_of(weights: Weights, *, licence: str, metrics: dict[str, Any]) -> ModelRecord:
    """The record of weights that load as a segmenter or an embedder of ours."""
    from fashionmap.embedding.model import garment_embedder
    from fashionmap.segmentation.model import ARCHITECTURES, segmenter_of

    architecture = weights.metadata.get("architecture", "")
    kind = "segmenter" if architecture in ARCHITECTURES else "embedder"
    try:
        if kind == "segmenter":
            stamp = segmenter_of(weights, device="cpu", threshold=0.5).stamp
        else:
            stamp = garment_embedder(weights, device="cpu").stamp
    except (KeyError, ValueError) as error:
        raise WeightsRejected(f"{weights.path} lacks {error} in its metadata.") from error
    return ModelRecord(
        name=stamp.name,
        version=stamp.version,
        kind=kind,
        architecture=architecture,
        sha256=weights.sha256,
        size=weights.path.stat().st_size,
        taxonomy=weights.metadata.get("taxonomy", ""),
        data=tuple(json.loads(weights.metadata.get("data", "[]"))),
        licence=licence,
        metrics=metrics,
    )


def _weights_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in ("best.safetensors", "model.safetensors"):
        if (path / name).exists():
            return path / name
    raise UsageError(f"{path} is no run's folder: it has no model.safetensors.")


def _run_figures(path: Path) -> dict[str, Any]:
    """Val figures of the best epoch of a run; none for a mere file."""
    log = path / "log.jsonl"
    if not path.is_dir() or not log.exists():
        return {}
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    scored = [line for line in lines if line.get("AP") is not None]
    if not scored:
        return {}
    best = max(scored, key=lambda line: float(line["AP"]))
    mask = {name: best.get(name) for name in (*FIGURES, "categories")}
    box = {name: best["box"].get(name) for name in (*FIGURES, "categories")}
    return {"val": {"epoch": best["epoch"], "mask": mask, "box": box}}


def _figures(path: Path) -> dict[str, Any]:
    try:
        figures = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no JSON file that can be read: {error}.") from error
    if not isinstance(figures, dict):
        raise UsageError(f"{path} holds no JSON object.")
    return figures
