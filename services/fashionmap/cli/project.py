"""``fashionmap project``: vectors in, coordinates out."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("project")(project)


def project(
    vectors: Annotated[Path, typer.Argument(help="npz with names (n,) and vectors (n, d).")],
    out: Annotated[Path, typer.Option(help="npz to write: names, coordinates.")],
    perplexity: Annotated[float, typer.Option(min=0, help="Of t-SNE; 0 chooses.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Lay out vectors in the plane by t-SNE: bring your own vectors."""
    from fashionmap.entrypoints.single_steps import project_file

    count = project_file(vectors, out, perplexity=perplexity, seed=seed)
    typer.echo(f"{count:,} points in {out}.")
