"""``fashionmap publish``: photos onto the ingest queue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashionmap.cli.map import Unit
from fashionmap.cli.options import Photos
from fashionmap.cli.progress import Bars

if TYPE_CHECKING:
    from fashionmap.entrypoints.collection import Census
    from fashionmap.ports import BlobStore, Publisher

PATIENCE = 900.0
"""Seconds that publishing waits for a store or a broker that is away."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("publish")(publish)


def publish(
    photos: Photos,
    collection: Annotated[str, typer.Option(help="Collection that they shall belong to.")],
    follow: Annotated[
        bool, typer.Option("--follow", help="Show the stages, then have a map built.")
    ] = False,
    metadata: Annotated[
        Path | None, typer.Option(help="CSV or JSON with a file_name and any other columns.")
    ] = None,
    unit: Annotated[Unit, typer.Option(help="Of the map that --follow asks for.")] = Unit.GARMENT,
    seed: Annotated[int, typer.Option(min=0, help="Of the map that --follow asks for.")] = 0,
) -> None:
    """Put photos on the ingest queue: bytes to the store, then a message each."""
    from fashionmap.adapters.tracing import start_tracing, stop_tracing
    from fashionmap.entrypoints.collection import publish_files
    from fashionmap.entrypoints.compose import object_store, publisher
    from fashionmap.entrypoints.photos_on_disk import find_photos, read_metadata
    from fashionmap.settings import read_settings

    settings = read_settings()
    files, extra = find_photos(photos), read_metadata(metadata)
    blobs = object_store(settings, patience=PATIENCE)
    bus = publisher(settings, patience=PATIENCE)
    start_tracing("publish", endpoint=settings.otlp_endpoint, file=settings.trace_file)
    with Bars() as bars:
        bars.stage("Publishing", len(files))
        published, unread = publish_files(
            files, collection, blobs=blobs, bus=bus, metadata=extra, advance=bars.advance
        )
    stop_tracing()
    for name, reason in unread:
        typer.echo(f"not published {name}: {reason}", err=True)
    typer.echo(f"{len(published):,} photos published to {collection}.")
    if follow:
        _follow(blobs, bus, collection, published, unit=unit.value, seed=seed)


def _follow(
    blobs: "BlobStore",
    bus: "Publisher",
    collection: str,
    published: set[str],
    *,
    unit: str,
    seed: int,
) -> None:
    from fashionmap.entrypoints.collection import follow, wait_for_map
    from fashionmap.projection.handler import request_of

    with Bars() as bars:
        bars.stage("Embedded or refused", len(published))
        done = 0

        def show(census: "Census") -> None:
            nonlocal done
            now = len(published & (census.embedded | census.failed))
            bars.advance(now - done)
            done = now

        census = follow(blobs, collection, published, show=show)
        request = request_of(blobs, collection, unit=unit, perplexity=0.0, seed=seed)
        bus.publish([request])
        bars.stage("Building the map", 0)
        wait_for_map(blobs, request)
    refused = len(published & census.failed)
    typer.echo(f"Map {request.version} of {collection} is there; {refused:,} photos refused.")
