"""``fashionmap train-embedder`` and ``evaluate-embedder``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashionmap.cli.options import Device, EmbedderName, Threads

if TYPE_CHECKING:
    from fashionmap.training.embedder.items import Item

Data = Annotated[list[Path] | None, typer.Option(help="Data sets in our form.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("train-embedder")(train_embedder)
    app.command("evaluate-embedder")(evaluate_embedder)


def train_embedder(
    out: Annotated[Path, typer.Option(help="Weights to write (safetensors).")],
    init: Annotated[Path, typer.Option(help="torchvision's MobileNetV2 as safetensors.")],
    data: Data = None,
    folders: Annotated[
        list[Path] | None, typer.Option(help="Folders of pictures by category.")
    ] = None,
    val: Annotated[
        list[Path] | None, typer.Option(help="Data sets with pairs, for consumer-to-shop accuracy.")
    ] = None,
    finetune: Annotated[
        int, typer.Option(min=0, help="Updates of the last convolutions before; 0: none.")
    ] = 0,
    batch: Annotated[int, typer.Option(min=2, help="Of --finetune: garments a step.")] = 48,
    lr: Annotated[float, typer.Option(help="Of --finetune: peak learning rate.")] = 2e-4,
    workers: Annotated[int, typer.Option(min=0, help="Of --finetune: reading processes.")] = 0,
    version: Annotated[str, typer.Option(help="To stamp the weights with.")] = "0.1.0",
    device: Device = "auto",
    threads: Threads = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Train an embedder by metric learning on cut-outs and pictures of single garments."""
    from fashionmap.adapters.devices import device_of
    from fashionmap.adapters.threads import use_threads
    from fashionmap.embedding.model import load_embedder
    from fashionmap.embedding.network import GarmentEmbedderNetwork
    from fashionmap.errors import UsageError
    from fashionmap.training.embedder.finetune import FinetunePlan, fine_tune
    from fashionmap.training.embedder.trainer import EmbedderPlan
    from fashionmap.training.embedder.trainer import train_embedder as run

    use_threads(threads)
    items = _items(data, folders, part="train")
    if len(items) < 2:
        raise UsageError("There is nothing to learn from: give --data or --folders.")
    plan = EmbedderPlan(seed=seed, version=version)
    further = FinetunePlan(steps=finetune, batch=batch, lr=lr, workers=workers)

    def prepare(network: GarmentEmbedderNetwork) -> None:
        if finetune:
            fine_tune(network, items, plan, further, say=typer.echo)

    place = device_of(device)
    digest = run(plan, items, init=init, out=out, say=typer.echo, prepare=prepare, device=place)
    typer.echo(f"The weights are {out}, SHA-256 {digest[:16]}….")
    if asked := _items(val, None, part="val"):
        _tell_products(asked, load_embedder(str(out), device=place).embed)


def evaluate_embedder(
    known: Annotated[
        Path | None, typer.Option(help="Folder of pictures by category, to vote.")
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(help="Another such folder, whose categories are to be found.")
    ] = None,
    data: Data = None,
    embedder: EmbedderName = "garments-embedder",
    plain: Annotated[
        Path | None,
        typer.Option(help="torchvision's MobileNetV2 as safetensors, to compare with."),
    ] = None,
    count: Annotated[int, typer.Option(min=2, help="Most garments to find other views among.")] = (
        5000
    ),
    device: Device = "auto",
    threads: Threads = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the views.")] = 0,
) -> None:
    """Score an embedder: categories, other views, colours, products; beside plain features."""
    from fashionmap.adapters.devices import device_of
    from fashionmap.adapters.threads import use_threads
    from fashionmap.entrypoints.models import open_embedder
    from fashionmap.errors import UsageError
    from fashionmap.training.embedder import evaluate

    if (known is None) != (queries is None) or (known is None and not data):
        raise UsageError("Give --known and --queries together, or --data, or all of them.")
    use_threads(threads)
    voters, asked = (_items(None, [f], part="val") if f else [] for f in (known, queries))
    worn = _items(data, None, part="val")
    rows: dict[str, evaluate.Embed] = {embedder: open_embedder(embedder, device=device).embed}
    if plain is not None:
        rows["plain ImageNet"] = evaluate.plain_features(plain, device=device_of(device))
    everything = [item for part in (voters, asked, worn) for item in part]
    for name, embed in rows.items():
        figures = evaluate.kinds_and_colours(voters, asked, embed) if asked else {}
        figures |= evaluate.other_views(everything, embed, count=count, seed=seed)
        figures |= evaluate.consumer_to_shop(worn, embed)
        typer.echo(name)
        for figure, value in figures.items():
            typer.echo(f"  {figure:<42} {value:.3f}")


def _items(data: list[Path] | None, folders: list[Path] | None, *, part: str) -> "list[Item]":
    """Garments of data sets (their ``part`` where they are split) and of folders."""
    from fashionmap.training.embedder.items import coco_items, folder_items

    items: list[Item] = []
    for folder in data or []:
        split = folder / f"{part}.json"
        source = split if split.exists() else folder / "annotations.json"
        items += coco_items(source, folder / "images")
    for folder in folders or []:
        items += folder_items(folder)
    return items


def _tell_products(items: "list[Item]", embed: object) -> None:
    from fashionmap.training.embedder.evaluate import consumer_to_shop

    found = consumer_to_shop(items, embed)  # type: ignore[arg-type]
    for name, share in found.items():
        typer.echo(f"{name} {share:.3f}")
    if not found:
        typer.echo("No garment of --val is both asked for by a user and sold by a shop.")
