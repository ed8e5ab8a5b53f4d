"""``fashionmap evaluate``: a segmenter's COCO AP."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fashionmap.cli.options import Device, SegmenterName, Threads


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    data: Annotated[Path, typer.Option(help="COCO annotations.")],
    images: Annotated[Path, typer.Option(help="Folder of its pictures.")],
    out: Annotated[Path | None, typer.Option(help="COCO results to write.")] = None,
    segmenter: SegmenterName = "garments-small",
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Score a segmenter with COCO AP: masks and boxes, by category and by size."""
    from fashionmap.adapters.threads import use_threads
    from fashionmap.entrypoints.models import open_segmenter
    from fashionmap.training.datasets.coco_form import read_coco
    from fashionmap.training.evaluation import evaluate_segmenter

    use_threads(threads)
    model = open_segmenter(segmenter, device=device, threshold=0.05)
    tables, results = evaluate_segmenter(model, read_coco(data), images)
    for kind, table in tables.items():
        sizes = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR100")
        typer.echo(f"{kind:<6}" + "  ".join(f"{name} {table[name]:.3f}" for name in sizes))
    for name, value in tables["segm"]["categories"].items():
        typer.echo(
            f"  {name:<14} mask AP {value:.3f}  box AP {tables['bbox']['categories'][name]:.3f}"
        )
    if out is not None:
        out.write_text(json.dumps(results), "utf-8")
