"""``fashionmap train-names``: a second opinion for a segmenter."""

from pathlib import Path
from typing import Annotated

import typer

from fashionmap.cli.options import Device, Threads


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("train-names")(train_names)


def train_names(
    data: Annotated[list[Path], typer.Option(help="Data sets; val.json of the first is told of.")],
    out: Annotated[Path, typer.Option(help="Weights to write: the segmenter's and the names'.")],
    segmenter: Annotated[
        str, typer.Option(help="garments-small or a file of the trainer's, with +mirror behind.")
    ] = "garments-small+mirror",
    init: Annotated[
        str,
        typer.Option(help="Start: garments-embedder, or torchvision's MobileNetV2 (safetensors)."),
    ] = "garments-embedder",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the photos.")] = 10,
    photos: Annotated[int, typer.Option(min=1, help="Photos an update, with all on them.")] = 3,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = 4e-4,
    version: Annotated[str, typer.Option(help="To stamp the weights with.")] = "0.1.0",
    device: Device = "auto",
    threads: Threads = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Train the network that names a segmenter's garments a second time, by their own pixels."""
    from fashionmap.adapters.devices import device_of
    from fashionmap.adapters.threads import use_threads
    from fashionmap.adapters.weights import read_weights, shipped_weights
    from fashionmap.domain.taxonomy import Taxonomy
    from fashionmap.segmentation.model import load_segmenter, split_mirror
    from fashionmap.training.names.trainer import NamingPlan
    from fashionmap.training.names.trainer import train_names as run
    from fashionmap.training.segmenter.samples import load_labelled, load_training
    from fashionmap.training.segmenter.start import initial_weights

    use_threads(threads)
    place = device_of(device)
    weights = initial_weights(split_mirror(segmenter)[0], "garments-small")
    finder = load_segmenter(segmenter, device=place, threshold=0.05)
    taxonomy, val = Taxonomy("of the segmenter", finder.labels), data[0] / "val.json"
    learnt = [photo for folder in data for photo in load_training(folder, taxonomy)]
    digest = run(
        NamingPlan(epochs=epochs, photos=photos, lr=lr, seed=seed),
        train=learnt,
        val=load_labelled(val, data[0] / "images", taxonomy) if val.exists() else [],
        segmenter=finder,
        weights=weights,
        init=shipped_weights(init) if init == "garments-embedder" else read_weights(Path(init)),
        out=out,
        version=version,
        device=place,
        say=typer.echo,
    )
    typer.echo(f"The weights are {out}, SHA-256 {digest[:16]}….")
