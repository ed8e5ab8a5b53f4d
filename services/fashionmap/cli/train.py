"""``fashionmap train`` and ``train-embedder``: models of your own."""

from pathlib import Path
from typing import Annotated

import typer

Init = Annotated[
    Path | None,
    typer.Option(help="Weights to start from: torchvision's MobileNetV2, or the trainer's own."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("train")(train)
    app.command("train-embedder")(train_embedder)


def train(
    data: Annotated[list[Path], typer.Option(help="Data sets; val.json of the first decides.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; an unfinished run goes on.")],
    model: Annotated[
        str, typer.Option(help="garments-small or resnet50_fpn_v2.")
    ] = "garments-small",
    taxonomy: Annotated[str, typer.Option(help="Categories to learn.")] = "modanet+person",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 40,
    minutes: Annotated[float, typer.Option(min=0, help="If given, end after so many.")] = 0.0,
    batch: Annotated[int, typer.Option(min=1, help="Photos a step.")] = 4,
    accumulate: Annotated[int, typer.Option(min=1, help="Steps an update.")] = 1,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = 6e-4,
    amp: Annotated[bool, typer.Option(help="bfloat16 where the hardware has it.")] = True,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read photos.")] = 0,
    init: Init = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Train a segmenter. Kill it at any moment: the same command goes on."""
    from fashionmap.adapters.threads import use_threads
    from fashionmap.domain.taxonomy import TAXONOMIES
    from fashionmap.errors import UsageError
    from fashionmap.segmentation.model import ARCHITECTURES, device_of
    from fashionmap.training.segmenter.trainer import TrainingPlan
    from fashionmap.training.segmenter.trainer import train as run

    if model not in ARCHITECTURES:
        raise UsageError(f"There is no model {model!r}: name {' or '.join(ARCHITECTURES)}.")
    if taxonomy not in TAXONOMIES:
        raise UsageError(f"There is no taxonomy {taxonomy!r}: name {', '.join(TAXONOMIES)}.")
    use_threads(0)
    plan = TrainingPlan(
        model=model,
        epochs=epochs,
        minutes=minutes,
        batch=batch,
        accumulate=accumulate,
        lr=lr,
        amp=amp,
        workers=workers,
        device=device_of(device),
        seed=seed,
    )
    weights = run(
        plan, data=data, taxonomy=TAXONOMIES[taxonomy], out=out, init=init, say=typer.echo
    )
    typer.echo(f"The weights are {weights}.")


def train_embedder(
    out: Annotated[Path, typer.Option(help="Weights to write (safetensors).")],
    init: Annotated[Path, typer.Option(help="torchvision's MobileNetV2 as safetensors.")],
    data: Annotated[list[Path] | None, typer.Option(help="Data sets in our form.")] = None,
    folders: Annotated[
        list[Path] | None, typer.Option(help="Folders of pictures by category.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Train an embedder by metric learning on cut-outs and pictures of single garments."""
    from fashionmap.adapters.threads import use_threads
    from fashionmap.errors import UsageError
    from fashionmap.training.embedder.items import coco_items, folder_items
    from fashionmap.training.embedder.trainer import EmbedderPlan
    from fashionmap.training.embedder.trainer import train_embedder as run

    use_threads(0)
    items = []
    for folder in data or []:
        split = folder / "train.json"
        source = split if split.exists() else folder / "annotations.json"
        items += list(coco_items(source, folder / "images"))
    for folder in folders or []:
        items += list(folder_items(folder))
    if len(items) < 2:
        raise UsageError("There is nothing to learn from: give --data or --folders.")
    digest = run(EmbedderPlan(seed=seed), items, init=init, out=out, say=typer.echo)
    typer.echo(f"The weights are {out}, SHA-256 {digest[:16]}….")
