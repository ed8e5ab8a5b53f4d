"""``fashionmap segment``: photos in, COCO annotations out."""

from pathlib import Path
from typing import Annotated

import typer

from fashionmap.cli.options import Device, Photos, SegmenterName, Threads, Threshold
from fashionmap.cli.progress import Bars


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("segment")(segment)


def segment(
    photos: Photos,
    out: Annotated[Path, typer.Option(help="COCO JSON to write.")],
    segmenter: SegmenterName = "garments-small+mirror",
    threshold: Threshold = 0.05,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Find garments on photos; writes a COCO data set with scores.

    The threshold is low by default, as for scoring; `fashionmap map` keeps what is sure.
    """
    from fashionmap.adapters.threads import use_threads
    from fashionmap.entrypoints.models import open_segmenter
    from fashionmap.entrypoints.photos_on_disk import find_photos
    from fashionmap.entrypoints.single_steps import segment_files

    files = find_photos(photos)
    use_threads(threads, photos=True)
    model = open_segmenter(segmenter, device=device, threshold=threshold)
    with Bars() as bars:
        bars.stage("Segmenting", len(files))
        refused = segment_files(files, out, segmenter=model, advance=bars.advance)
    for name, reason in refused:
        typer.echo(f"refused {name}: {reason}", err=True)
    typer.echo(f"{len(files) - len(refused):,} photos segmented into {out}.")
