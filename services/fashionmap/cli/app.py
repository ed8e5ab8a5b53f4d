"""The ``fashionmap`` command: registers every group and turns errors into one sentence."""

import os
import sys
from importlib import import_module

import typer

from fashionmap import __version__
from fashionmap.errors import FashionMapError, UsageError

GROUPS = (
    *("map", "segment", "embed", "project", "neighbours", "sample"),
    *("serve", "publish", "status", "operate", "dataset"),
    *("train", "train_names", "train_embedder", "evaluate", "model"),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fashionmap {__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """The command with all its groups; importing them loads no model library."""
    app = typer.Typer(
        name="fashionmap",
        help="Outfit photographs in, a map of clothes out.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def root(
        version: bool = typer.Option(
            False, "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ) -> None:
        """Outfit photographs in, a map of clothes out."""

    for group in GROUPS:
        import_module(f"fashionmap.cli.{group}").register(app)
    return app


def main() -> None:
    """Runs the command. Exit codes: 0 done, 1 an error told in one sentence, 2 wrong usage."""
    # several of our processes on the same cores would burn them in OpenMP's spinning barriers
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        build_app()()
    except FashionMapError as error:
        print(f"fashionmap: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        print("fashionmap: stopped.", file=sys.stderr)
        sys.exit(130)
