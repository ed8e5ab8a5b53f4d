"""``fashionmap status``, ``failures``, ``retry``, ``request-map``: a collection in the cluster."""

from typing import TYPE_CHECKING, Annotated

import typer

from fashionmap.cli.map import Unit

if TYPE_CHECKING:
    from fashionmap.adapters.broker import Broker
    from fashionmap.ports import BlobStore

Collection = Annotated[str, typer.Option(help="The collection.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("status")(status)
    app.command("failures")(failures)
    app.command("retry")(retry)
    app.command("request-map")(request_map)


def status(
    collection: Annotated[str, typer.Option(help="Count this collection's photos, too.")] = "",
) -> None:
    """Show what waits at each stage, what is paused, and a collection's photos by stage."""
    from fashionmap.entrypoints.collection import count_photos, newest_of
    from fashionmap.entrypoints.compose import broker, object_store
    from fashionmap.settings import read_settings

    settings = read_settings()
    blobs = object_store(settings)
    _show_queues(blobs, broker(settings))
    if collection:
        counts = count_photos(blobs, collection)
        typer.echo(f"\n{'collection':<12}{collection}")
        for name, count in counts.items():
            typer.echo(f"{name:<12}{count:>10,}")
        typer.echo(f"{'newest map':<12}{newest_of(blobs, collection) or 'none yet'}")


def _show_queues(blobs: "BlobStore", broker: "Broker") -> None:
    from fashionmap.adapters.dead_letters import queue_depths
    from fashionmap.cli.operate import STAGES
    from fashionmap.entrypoints.gate import paused_stages
    from fashionmap.errors import BrokerUnavailable

    paused = paused_stages(blobs, STAGES)
    try:
        depths = queue_depths(broker)
    except BrokerUnavailable as error:
        typer.echo(str(error), err=True)
        depths = {}
    typer.echo(f"{'queue':<22}{'waiting':>10}{'dead':>10}")
    for name, (waiting, dead) in depths.items():
        state = "  paused" if name.partition(".")[0] in paused else ""
        typer.echo(f"{name:<22}{waiting:>10,}{dead:>10,}{state}")
    if paused and not depths:
        typer.echo(f"paused: {', '.join(paused)}")


def failures(
    collection: Collection,
    stage: Annotated[str, typer.Option(help="Only of this stage.")] = "",
) -> None:
    """List refused photos: stage, file, reason."""
    from fashionmap.entrypoints.collection import check_exists, failures_of
    from fashionmap.entrypoints.compose import object_store
    from fashionmap.settings import read_settings

    blobs = object_store(read_settings())
    check_exists(blobs, collection)
    for record in failures_of(blobs, collection):
        if stage in ("", record["stage"]):
            shown = record["file_name"] or record["photo_id"][:16]
            typer.echo(f"{record['stage']}\t{shown}\t{record['reason']}")


def retry(
    collection: Collection,
    stage: Annotated[str, typer.Option(help="Only of this stage.")] = "",
) -> None:
    """Send refused messages again, after their cause is mended."""
    from fashionmap.entrypoints.collection import check_exists, replay
    from fashionmap.entrypoints.compose import object_store, publisher
    from fashionmap.settings import read_settings

    settings = read_settings()
    blobs, bus = object_store(settings), publisher(settings)
    check_exists(blobs, collection)
    typer.echo(f"{replay(blobs, bus, collection, stage=stage):,} messages sent again.")


def request_map(
    collection: Collection,
    unit: Annotated[Unit, typer.Option(help="Garments, whole looks, or both.")] = Unit.GARMENT,
    perplexity: Annotated[float, typer.Option(min=0, help="Of t-SNE; 0 chooses.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Have the collection's map built anew."""
    from fashionmap.entrypoints.compose import object_store, publisher
    from fashionmap.projection.handler import request_of
    from fashionmap.settings import read_settings

    settings = read_settings()
    blobs, bus = object_store(settings), publisher(settings)
    event = request_of(blobs, collection, unit=unit.value, perplexity=perplexity, seed=seed)
    bus.publish([event])
    typer.echo(f"Map {event.version} of {collection} is requested.")
