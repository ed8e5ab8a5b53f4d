"""``fashionmap pause``, ``resume``, ``requeue``, ``backup``, ``restore``: for the operator."""

from pathlib import Path
from typing import Annotated

import typer

from fashionmap.cli.progress import Bars
from fashionmap.errors import UsageError

STAGES = ("ingest", "segmentation", "embedding", "projection")
Stage = Annotated[str, typer.Argument(help="ingest, segmentation, embedding or projection.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (pause, resume, requeue, backup, restore):
        app.command(command.__name__)(command)


def pause(stage: Stage) -> None:
    """Let a stage stop consuming until `resume`, whatever is restarted meanwhile."""
    from fashionmap.entrypoints import gate
    from fashionmap.entrypoints.compose import object_store
    from fashionmap.settings import read_settings

    gate.pause(object_store(read_settings()), _known(stage))
    typer.echo(f"{stage} is paused: it ends the batch in hand and takes no more.")


def resume(stage: Stage) -> None:
    """Let a paused stage go on."""
    from fashionmap.entrypoints import gate
    from fashionmap.entrypoints.compose import object_store
    from fashionmap.settings import read_settings

    gate.resume(object_store(read_settings()), _known(stage))
    typer.echo(f"{stage} goes on.")


def requeue(stage: Stage) -> None:
    """Send a stage's dead letters back to their queue, after their cause is mended."""
    from fashionmap.adapters.dead_letters import requeue as move
    from fashionmap.adapters.topology import QUEUES
    from fashionmap.entrypoints.compose import broker, publisher
    from fashionmap.settings import read_settings

    settings = read_settings()
    bus = publisher(settings)
    own = [queue for queue in QUEUES.values() if queue.name.startswith(f"{_known(stage)}.")]
    moved = sum(move(broker(settings), queue, bus) for queue in own)
    bus.close()
    typer.echo(f"{moved:,} dead letters sent back to {stage}.")


def backup(
    collection: Annotated[str, typer.Option(help="The collection.")],
    out: Annotated[Path, typer.Option(help="The tar file to write.")],
) -> None:
    """Write a collection (photos, masks, vectors, maps, failures) into one file."""
    from fashionmap.entrypoints import backup as archive
    from fashionmap.entrypoints.compose import object_store
    from fashionmap.settings import read_settings

    with Bars() as bars:
        bars.stage("Backing up", 0)
        blobs = object_store(read_settings())
        contents = archive.backup(blobs, collection, out, advance=bars.advance)
    typer.echo(f"{len(contents.hashes):,} objects of {collection} are in {out}.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write into a collection that exists.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check the file.")] = False,
) -> None:
    """Put a collection back from a backup; a damaged one changes nothing."""
    from fashionmap.entrypoints import backup as archive
    from fashionmap.entrypoints.compose import object_store
    from fashionmap.settings import read_settings

    if check:
        contents = archive.check_backup(file)
        typer.echo(f"{file} is whole: {len(contents.hashes):,} objects of {contents.collection}.")
        return
    with Bars() as bars:
        bars.stage("Restoring", 0)
        blobs = object_store(read_settings())
        contents = archive.restore(blobs, file, overwrite=overwrite, advance=bars.advance)
    typer.echo(f"{len(contents.hashes):,} objects of {contents.collection} are restored.")


def _known(stage: str) -> str:
    if stage not in STAGES:
        raise UsageError(f"There is no stage {stage!r}: name one of {', '.join(STAGES)}.")
    return stage
