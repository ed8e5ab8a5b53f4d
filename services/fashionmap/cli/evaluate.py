"""``fashionmap evaluate``: a segmenter's COCO AP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from fashionmap.cli.options import Device, SegmenterName, Threads

FIGURES = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR100")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    data: Annotated[Path, typer.Option(help="COCO annotations.")],
    images: Annotated[Path, typer.Option(help="Folder of its pictures.")],
    weights: Annotated[
        str, typer.Option(help="A .safetensors file of the trainer, or what --segmenter takes.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="COCO results to write.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="PNG of predictions on the first 12 pictures to write.")
    ] = None,
    segmenter: SegmenterName = "garments-small+mirror",
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Score a segmenter with COCO AP: masks and boxes, by category and by size."""
    from fashionmap.adapters.threads import use_threads
    from fashionmap.entrypoints.models import open_segmenter
    from fashionmap.training.datasets.coco_form import read_coco
    from fashionmap.training.datasets.contact_sheet import draw_sheet
    from fashionmap.training.evaluation import evaluate_segmenter

    use_threads(threads, photos=True)
    truth = read_coco(data)
    model = open_segmenter(weights or segmenter, device=device, threshold=0.05)
    tables, results = evaluate_segmenter(model, truth, images)
    for line in lines_of(tables):
        typer.echo(line)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(results), "utf-8")
        typer.echo(f"{len(results):,} predictions are in {out}.")
    if sheet is not None:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet.write_bytes(draw_sheet({**truth, "annotations": results}, images, least=0.4))
        typer.echo(f"The contact sheet is {sheet}.")


def lines_of(tables: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Tables of ``average_precision`` as text: all categories, then each."""
    for kind, title in (("segm", "mask"), ("bbox", "box")):
        yield f"{title:<5}" + "  ".join(f"{name} {tables[kind][name]:.3f}" for name in FIGURES)
    yield f"{'':<16}" + f"{'mask AP':>9}{'box AP':>9}"
    for name, value in tables["segm"]["categories"].items():
        yield f"  {name:<14}{value:>9.3f}{tables['bbox']['categories'][name]:>9.3f}"
