"""``fashionmap embed``: pictures of single garments in, vectors out."""

from pathlib import Path
from typing import Annotated

import typer

from fashionmap.cli.options import Device, EmbedderName, Photos, Threads, Weights
from fashionmap.cli.progress import Bars


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("embed")(embed)


def embed(
    photos: Photos,
    out: Annotated[Path, typer.Option(help="npz to write: names, vectors.")],
    embedder: EmbedderName = "garments-embedder",
    weights: Weights = None,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Embed each picture as one garment, without segmentation."""
    from fashionmap.adapters.threads import use_threads
    from fashionmap.entrypoints.models import open_embedder
    from fashionmap.entrypoints.photos_on_disk import find_photos
    from fashionmap.entrypoints.single_steps import embed_files

    files = find_photos(photos)
    use_threads(threads, photos=True)
    model = open_embedder(embedder, device=device, weights=weights)
    with Bars() as bars:
        bars.stage("Embedding", len(files))
        refused = embed_files(files, out, embedder=model, advance=bars.advance)
    for name, reason in refused:
        typer.echo(f"refused {name}: {reason}", err=True)
    typer.echo(f"{len(files) - len(refused):,} vectors of {model.dimensions} values in {out}.")
