"""``fashionmap dataset``: training data in one form."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fashionmap.errors import DatasetRejected, UsageError

Folder = Annotated[Path, typer.Argument(help="A data set in our form.")]


class Source(StrEnum):
    """Where a data set comes from."""

    CCP = "ccp"
    MODANET = "modanet"
    DEEPFASHION2 = "deepfashion2"
    COCO = "coco"


def register(app: typer.Typer) -> None:
    """Adds the group."""
    group = typer.Typer(help="Convert, split, verify and show training data.", no_args_is_help=True)
    group.command("convert")(convert)
    group.command("split")(split)
    group.command("verify")(verify)
    group.command("show")(show)
    app.add_typer(group, name="dataset")


def convert(
    source: Annotated[Source, typer.Argument(help="Which public data set.")],
    folder: Annotated[Path, typer.Argument(help="Its folder, or a COCO file.")],
    out: Annotated[Path, typer.Option(help="Data set to write.")],
    images: Annotated[Path | None, typer.Option(help="Pictures of a COCO file.")] = None,
) -> None:
    """Bring a public data set into one form: COCO instances and dataset.json."""
    from fashionmap.training.datasets.ccp import convert_ccp
    from fashionmap.training.datasets.deepfashion2 import convert_deepfashion2
    from fashionmap.training.datasets.modanet import convert_modanet
    from fashionmap.training.datasets.plain_coco import convert_coco

    if source is Source.CCP:
        convert_ccp(folder, out)
    elif source is Source.DEEPFASHION2:
        convert_deepfashion2(folder, out)
    elif source is Source.MODANET:
        missing = convert_modanet(folder, out)
        typer.echo(f"{missing:,} annotated photos are not among the pictures.")
    elif images is None:
        raise UsageError("A COCO file needs --images FOLDER.")
    else:
        convert_coco(folder, images, out)
    typer.echo(f"The data set lies in {out}.")


def split(
    folder: Folder,
    val: Annotated[float, typer.Option(help="Share of images for validation.")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice.")] = 1,
) -> None:
    """Split into train.json and val.json: stratified, near-duplicates on one side."""
    from fashionmap.training.datasets.split import split_dataset

    train, kept = split_dataset(folder, val_fraction=val, seed=seed)
    typer.echo(f"{train:,} images to train on, {kept:,} to validate.")


def verify(folder: Folder) -> None:
    """List everything that is wrong with a data set; exit code 1 if anything is."""
    from fashionmap.training.datasets.verify import verify_dataset

    found = verify_dataset(folder)
    for sentence in found:
        typer.echo(sentence)
    if found:
        raise DatasetRejected(f"{len(found):,} faults were found in {folder}.")
    typer.echo(f"Nothing is wrong with {folder}.")


def show(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 12,
) -> None:
    """Draw a contact sheet of pictures with their masks."""
    from fashionmap.training.datasets.coco_form import read_coco
    from fashionmap.training.datasets.contact_sheet import draw_sheet

    document = read_coco(folder / "annotations.json")
    out.write_bytes(draw_sheet(document, folder / "images", count=count))
    typer.echo(f"The contact sheet is {out}.")
