"""``fashionmap model``: versions of models in the object store, or in a folder."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fashionmap.adapters.model_store import ModelStore

Store = Annotated[
    Path | None, typer.Option(help="A folder instead of the object store of the settings.")
]
Reference = Annotated[str, typer.Argument(help="NAME@VERSION, or NAME@latest.")]


def register(app: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(help="Keep versions of models in the object store.", no_args_is_help=True)
    group.command("list")(list_models)
    group.command("push")(push)
    group.command("pull")(pull)
    group.command("show")(show)
    group.command("average")(average)
    app.add_typer(group, name="model")


def list_models(store: Store = None) -> None:
    """All versions: name, version, kind, size, mask AP on val, hash."""
    for record in _store(store).records():
        figures = record.metrics.get("val", {})
        ap = figures.get("mask", {}).get("AP") if isinstance(figures, dict) else None
        score = f"AP {ap:.3f}" if isinstance(ap, float) else ""
        typer.echo(
            f"{record.name}@{record.version}  {record.kind}  {record.size / 1e6:.1f} MB  "
            f"{score}  {record.sha256[:16]}"
        )


def push(
    path: Annotated[Path, typer.Argument(help="A .safetensors file, or a run's folder.")],
    name: Annotated[str, typer.Option(help="Name, if not the file's own.")] = "",
    version: Annotated[str, typer.Option(help="Version, if not the file's own.")] = "",
    card: Annotated[Path | None, typer.Option(help="Model card in Markdown.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights.")] = "",
    metrics: Annotated[Path | None, typer.Option(help="JSON object of figures.")] = None,
    store: Store = None,
) -> None:
    """Add a version. Services that run with NAME@latest change to it between two batches."""
    from fashionmap.entrypoints.model_shelf import push_model

    record, new = push_model(
        _store(store),
        path,
        name=name,
        version=version,
        card=card,
        licence=licence,
        metrics=metrics,
    )
    told = "is in the store" if new else "was in the store already"
    typer.echo(f"{record.name}@{record.version} {told}, SHA-256 {record.sha256[:16]}….")


def pull(
    reference: Reference,
    out: Annotated[Path, typer.Option(help="File to write (.safetensors).")],
    store: Store = None,
) -> None:
    """Fetch a version's weights; their hash is checked."""
    weights = _store(store).weights(reference)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(weights.path.read_bytes())
    typer.echo(f"{reference} is {out}, SHA-256 {weights.sha256[:16]}….")


def show(reference: Reference, store: Store = None) -> None:
    """A version's record and its model card."""
    shelf = _store(store)
    name, version = shelf.resolve(reference)
    typer.echo(json.dumps(asdict(shelf.record(name, version)), indent=2, ensure_ascii=False))
    typer.echo("\n" + shelf.card(name, version))


def _store(folder: Path | None) -> "ModelStore":
    from fashionmap.entrypoints.models import model_store
    from fashionmap.settings import read_settings

    return model_store(read_settings(), folder=folder)


def average(
    first: Annotated[Path, typer.Argument(help="Weights (.safetensors).")],
    second: Annotated[Path, typer.Argument(help="Weights that were trained on from the first.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    share: Annotated[float, typer.Option(min=0, max=1, help="Of the second.")] = 0.5,
    version: Annotated[str, typer.Option(help="To stamp it with; else the second's.")] = "",
) -> None:
    """Average two weights of one model: often better than either (arXiv 2203.05482).

    A second opinion on names is left out: train-names learns the mean one of its own.
    """
    from dataclasses import replace

    from fashionmap.adapters.weights import averaged, read_weights, write_weights
    from fashionmap.segmentation.names import split_names

    both = (read_weights(first), read_weights(second))
    one, two = (replace(weights, tensors=split_names(weights.tensors)[0]) for weights in both)
    metadata = {**two.metadata, **({"version": version} if version else {})}
    digest = write_weights(out, averaged(one, two, share=share), metadata)
    typer.echo(f"The weights are {out}, SHA-256 {digest[:16]}….")
