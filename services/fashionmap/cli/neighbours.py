"""``fashionmap neighbours``: what is most alike, by the vectors."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("neighbours")(neighbours)


def neighbours(
    map_dir: Annotated[Path, typer.Argument(help="Folder that `fashionmap map` wrote.")],
    garment_id: Annotated[str, typer.Argument(help="Id as in garments.parquet.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
) -> None:
    """List the garments nearest to one, by their vectors: id, distance, category, photo."""
    from fashionmap.entrypoints.single_steps import nearest_in_map

    for row in nearest_in_map(map_dir, garment_id, count=count):
        typer.echo("\t".join(row))
