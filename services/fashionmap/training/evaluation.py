"""COCO average precision of a segmenter, overall, by category and by size."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fashionmap.domain.garment import Detection
from fashionmap.pipelining import in_order
from fashionmap.ports import Segmenter
from fashionmap.training.segmenter.samples import read_rgb

COCO_SIZES = ("all", "small", "medium", "large")


def results_of(
    image_id: int, detections: Iterable[Detection], ids: dict[str, int]
) -> list[dict[str, Any]]:
    """Detections as COCO results; categories without an id in ``ids`` are left out."""
    return [
        {
            "image_id": image_id,
            "category_id": ids[d.category],
            "segmentation": {"size": [d.mask.height, d.mask.width], "counts": d.mask.counts},
            "bbox": list(d.bbox),
            "score": d.score,
        }
        for d in detections
        if d.category in ids
    ]


def average_precision(
    truth: dict[str, Any],
    results: list[dict[str, Any]],
    *,
    kind: str = "segm",
    image_ids: list[int] | None = None,
) -> dict[str, Any]:
    """COCO AP (https://cocodataset.org/#detection-eval) by faster-coco-eval.

    Args:
        truth: A COCO data set.
        results: COCO results.
        kind: ``"segm"`` or ``"bbox"``.
        image_ids: Images to score; all of ``truth`` if None.

    Returns:
        ``AP``, ``AP50``, ``AP75``, ``APsmall``, ``APmedium``, ``APlarge``, ``AR100`` and
        ``categories`` (name to AP), each in [0, 1]; NaN where the truth holds no instance.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    coco = COCO({**truth, "annotations": [{**a} for a in truth["annotations"]]})
    found = (
        coco.loadRes([{**r} for r in results]) if results else COCO({**truth, "annotations": []})
    )
    evaluation = COCOeval_faster(coco, found, iouType=kind, print_function=lambda *_: None)
    if image_ids is not None:
        evaluation.params.imgIds = image_ids
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    stats = [float(v) if v > -1 else float("nan") for v in evaluation.stats]
    names = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR1", "AR10", "AR100")
    return {**dict(zip(names, stats, strict=False)), "categories": _by_category(truth, evaluation)}


def _by_category(truth: dict[str, Any], evaluation: Any) -> dict[str, float]:
    """Mean precision a category over IoU thresholds and recalls, all sizes, 100 detections."""
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    names = {c["id"]: c["name"] for c in truth["categories"]}
    table = {}
    for k, category in enumerate(evaluation.params.catIds):
        values = precision[:, :, k]
        values = values[values > -1]
        table[names[category]] = float(np.mean(values)) if values.size else float("nan")
    return table


def evaluate_segmenter(
    segmenter: Segmenter, truth: dict[str, Any], images: Path
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Tables of ``average_precision`` for ``segm`` and ``bbox``, and the COCO results.

    Categories that the segmenter does not know are not scored.
    """
    known = [c for c in truth["categories"] if c["name"] in segmenter.categories]
    ids = {str(c["name"]): int(c["id"]) for c in known}
    kept = [a for a in truth["annotations"] if a["category_id"] in ids.values()]
    scored = {**truth, "categories": known, "annotations": kept}
    results: list[dict[str, Any]] = []

    def one(image: dict[str, Any]) -> list[dict[str, Any]]:
        found = segmenter.segment([read_rgb(images / image["file_name"])])[0]
        return results_of(image["id"], found, ids)

    threads = segmenter.at_once
    for found in in_order(truth["images"], one, threads=threads, most=2 * threads):
        results += found
    tables = {kind: average_precision(scored, results, kind=kind) for kind in ("segm", "bbox")}
    return tables, results
