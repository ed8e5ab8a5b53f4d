"""``fashionmap sample``: drawn street looks with exact ground truth."""

from pathlib import Path
from typing import Annotated

import typer

from fashionmap.cli.progress import Bars


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("sample")(sample)


def sample(
    folder: Annotated[Path, typer.Argument(help="Folder to write.")],
    count: Annotated[int, typer.Option(min=1, help="How many looks.")] = 150,
    seed: Annotated[int, typer.Option(min=0, help="Other seeds draw other looks.")] = 0,
) -> None:
    """Draw different street looks: images/ and annotations.json (COCO)."""
    from fashionmap.sample.dataset import write_looks

    with Bars() as bars:
        bars.stage("Drawing looks", count)
        write_looks(folder, count=count, seed=seed, advance=bars.advance)
    typer.echo(f"{count:,} looks in {folder / 'images'}.")
