"""``fashionmap map``: photos in, a map folder out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from fashionmap.cli.options import (
    Device,
    EmbedderName,
    Photos,
    SegmenterName,
    Threads,
    Threshold,
    Weights,
)
from fashionmap.cli.progress import Bars
from fashionmap.errors import UsageError


class Unit(StrEnum):
    """What a point of the map is."""

    GARMENT = "garment"
    LOOK = "look"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("map")(make_map)


def make_map(
    photos: Photos,
    out: Annotated[Path, typer.Option(help="Folder of the map.")],
    unit: Annotated[
        Unit, typer.Option(help="Lay out garments, whole looks, or both.")
    ] = Unit.GARMENT,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    metadata: Annotated[
        Path | None, typer.Option(help="CSV or JSON with a file_name and any other columns.")
    ] = None,
    segmenter: SegmenterName = "garments-small+mirror",
    embedder: EmbedderName = "garments-embedder",
    weights: Weights = None,
    threshold: Threshold = None,
    perplexity: Annotated[float, typer.Option(min=0, help="Of t-SNE; 0 chooses.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Cut out the garments of photos and lay them out by similarity."""
    from fashionmap.entrypoints.photos_on_disk import find_photos, read_metadata

    files = find_photos(photos)
    if resume and not (out / ".fashionmap").exists():
        raise UsageError(f"There is nothing to resume in {out}.")
    extra = read_metadata(metadata)
    with Bars() as bars:
        bars.stage("Loading models", 0)
        run = _prepare(segmenter, embedder, weights, threshold, device, threads)
        try:
            summary = run(
                out=out,
                photos=files,
                unit=unit.value,
                metadata=extra,
                perplexity=perplexity,
                seed=seed,
                bars=bars,
            )
        except KeyboardInterrupt:
            bars.stage("Stopped: the same command with --resume goes on from here", 0)
            raise
    _tell(summary, out)


def _prepare(
    segmenter: str,
    embedder: str,
    weights: Path | None,
    threshold: float | None,
    device: str,
    threads: int,
) -> Any:
    """A function that runs the pipeline; loads the model libraries."""
    from fashionmap.adapters.threads import use_threads
    from fashionmap.entrypoints.local import LocalRun, Models, Watcher
    from fashionmap.entrypoints.models import open_embedder, open_segmenter
    from fashionmap.projection.projector import ProjectorParameters

    use_threads(threads, photos=True)
    models = Models(
        segmenter=lambda: open_segmenter(segmenter, device=device, threshold=threshold),
        embedder=lambda: open_embedder(embedder, device=device, weights=weights),
    )

    def run(*, bars: Bars, perplexity: float, seed: int, **settings: Any) -> dict[str, Any]:
        parameters = ProjectorParameters(perplexity=perplexity, seed=seed)
        watcher = Watcher(stage=bars.stage, advance=bars.advance)
        return LocalRun(models=models, parameters=parameters, watcher=watcher, **settings).run()

    return run


def _tell(summary: dict[str, Any], out: Path) -> None:
    counts = summary["counts"]
    typer.echo(
        f"{counts['photos']:,} photos: {counts['garments']:,} garments"
        + (f", {counts['looks']:,} looks" if counts["looks"] else "")
        + f"; {counts['no_garments']:,} photos without garments, "
        f"{counts['duplicates']:,} duplicates, {counts['rejected']:,} refused."
    )
    for refused in summary["rejected"][:20]:
        typer.echo(f"  refused {refused['file_name']}: {refused['reason']}")
    if len(summary["rejected"]) > 20:
        typer.echo(f"  … and {len(summary['rejected']) - 20:,} more, listed in map.json.")
    typer.echo(f"The map lies in {out}. Look at it with: fashionmap serve {out}")
    typer.echo(f"The poster is {out / 'poster.png'}.")
