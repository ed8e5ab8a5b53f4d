"""``fashionmap serve``: one service as a process, or a map folder as a web page."""

from pathlib import Path
from typing import Annotated

import typer

from fashionmap.errors import UsageError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("serve")(serve)


def serve(
    what: Annotated[
        str,
        typer.Argument(
            help="ingest, segmentation, embedding, projection, explorer, or a map folder."
        ),
    ],
    host: Annotated[str, typer.Option(help="Address for a map folder.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, help="Port for a map folder; 0 chooses.")] = 8000,
) -> None:
    """Run a service (settings: environment, prefix FASHIONMAP_), or show a map folder."""
    if Path(what, "map.json").is_file():
        _show(Path(what), host, port)
        return
    if what == "explorer":
        from fashionmap.entrypoints.serve_explorer import serve_explorer
        from fashionmap.settings import read_settings

        serve_explorer(read_settings())
        return
    if what not in ("ingest", "segmentation", "embedding", "projection"):
        raise UsageError(f"{what!r} is neither a service nor a folder with a map.")
    from fashionmap.entrypoints.serve import serve as run
    from fashionmap.settings import read_settings

    run(what, read_settings())


def _show(folder: Path, host: str, port: int) -> None:
    from fashionmap.entrypoints.show import show_folder

    show_folder(folder, host=host, port=port, say=typer.echo)
