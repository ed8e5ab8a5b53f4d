"""``fashionmap train``: a segmenter of your own."""

from pathlib import Path
from typing import Annotated

import typer

from fashionmap.cli.options import Threads


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("train")(train)


def train(
    data: Annotated[list[Path], typer.Option(help="Data sets; val.json of the first decides.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; an unfinished run goes on.")],
    model: Annotated[
        str, typer.Option(help="garments-small or resnet50_fpn_v2.")
    ] = "garments-small",
    taxonomy: Annotated[
        str, typer.Option(help="Categories to learn; `data` takes those of the first data set.")
    ] = "modanet+person",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 40,
    minutes: Annotated[float, typer.Option(min=0, help="If given, end after so many.")] = 0.0,
    batch: Annotated[int, typer.Option(min=1, help="Photos a step and process.")] = 4,
    accumulate: Annotated[int, typer.Option(min=1, help="Steps an update.")] = 1,
    lr: Annotated[
        float | None, typer.Option(help="Peak learning rate; 6e-4, of resnet50_fpn_v2 2e-4.")
    ] = None,
    frozen: Annotated[
        int, typer.Option(min=0, max=18, help="First blocks of garments-small's body to leave.")
    ] = 4,
    amp: Annotated[bool, typer.Option(help="Mixed precision.")] = True,
    precision: Annotated[
        str, typer.Option(help="Of --amp: bf16, fp16, or auto by the hardware.")
    ] = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that read photos.")] = 0,
    init: Annotated[
        str,
        typer.Option(
            help="Start: coco (for resnet50_fpn_v2), garments-small, or a file of torchvision's "
            "MobileNetV2, of its Mask R-CNN, or of the trainer's own."
        ),
    ] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Insist that there is a run to go on with.")
    ] = False,
    size: Annotated[
        str, typer.Option(help="Train at one size, as 672x448, not at growing ones.")
    ] = "",
    evaluate_every: Annotated[int, typer.Option(min=1, help="Epochs between scores.")] = 1,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="Updates between savings.")] = 100,
    version: Annotated[str, typer.Option(help="To stamp the weights with.")] = "0.1.0",
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    threads: Threads = 0,
) -> None:
    """Train a segmenter. Kill it at any moment: the same command goes on to the same result."""
    from fashionmap.adapters.devices import device_of
    from fashionmap.adapters.threads import use_threads
    from fashionmap.errors import UsageError
    from fashionmap.segmentation.model import ARCHITECTURES
    from fashionmap.training.segmenter.plan import (
        LARGE_CANVASES,
        SMALL_CANVASES,
        TrainingPlan,
        one_canvas,
    )
    from fashionmap.training.segmenter.session import train as run

    if model not in ARCHITECTURES:
        raise UsageError(f"There is no model {model!r}: name {' or '.join(ARCHITECTURES)}.")
    if precision not in ("auto", "bf16", "fp16"):
        raise UsageError(f"There is no precision {precision!r}: name auto, bf16 or fp16.")
    if resume and not (out / "checkpoint.pt").exists():
        raise UsageError(f"There is nothing to resume in {out}.")
    small = model == "garments-small"
    growing = SMALL_CANVASES if small else LARGE_CANVASES
    use_threads(threads)
    plan = TrainingPlan(
        model=model,
        epochs=epochs,
        minutes=minutes,
        batch=batch,
        accumulate=accumulate,
        lr=lr or (6e-4 if small else 2e-4),
        canvases=one_canvas(size) if size else growing,
        evaluate_every=evaluate_every,
        checkpoint_every=checkpoint_every,
        amp=amp,
        frozen=frozen,
        precision=precision,
        workers=workers,
        device=device_of(device),
        seed=seed,
        version=version,
    )
    weights = run(plan, data=data, taxonomy=taxonomy, out=out, init=init, say=typer.echo)
    typer.echo(f"The weights are {weights}; the best on val are {weights.parent}/best.safetensors.")
