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
    FASHIONPEDIA = "fashionpedia"
    COCO = "coco"
    SAMPLE = "sample"
    FOLDERS = "folders"
    PHOTOS = "photos"


class Kept(StrEnum):
    """Which categories a Fashionpedia keeps."""

    OWN = "own"
    MODANET = "modanet"


class Part(StrEnum):
    """A document of a data set."""

    ALL = "annotations"
    TRAIN = "train"
    VAL = "val"


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
    folder: Annotated[Path, typer.Argument(help="Its folder; of COCO and Fashionpedia, a file.")],
    out: Annotated[Path, typer.Option(help="Data set to write.")],
    images: Annotated[
        Path | None, typer.Option(help="Pictures of a COCO or Fashionpedia file.")
    ] = None,
    categories: Annotated[
        Kept, typer.Option(help="Of Fashionpedia: its own, or ModaNet's thirteen.")
    ] = Kept.OWN,
    check: Annotated[bool, typer.Option(help="ModaNet's published MD5 sums must fit.")] = True,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch PaperDoll's pictures; goes on if stopped.")
    ] = False,
    rate: Annotated[float, typer.Option(min=0.01, help="Most downloads a second.")] = 4.0,
    address: Annotated[
        str, typer.Option(help="Server of PaperDoll's pictures.")
    ] = "http://images2.chictopia.com",
    per_folder: Annotated[int, typer.Option(min=1, help="Of folders: most pictures each.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of folders: which pictures.")] = 0,
    segmenter: Annotated[
        str, typer.Option(help="Of photos: whose sure masks are their labels.")
    ] = "garments-small",
) -> None:
    """Bring a public data set into one form: COCO instances and dataset.json."""
    from fashionmap.adapters.threads import use_threads
    from fashionmap.segmentation.model import load_segmenter
    from fashionmap.training.datasets import own_labels, plain_coco
    from fashionmap.training.datasets.ccp import convert_ccp
    from fashionmap.training.datasets.deepfashion2 import convert_deepfashion2
    from fashionmap.training.datasets.fashionpedia import convert_fashionpedia
    from fashionmap.training.datasets.folders import convert_folders
    from fashionmap.training.datasets.modanet import convert_modanet

    use_threads(0, photos=True)
    if source in (Source.COCO, Source.FASHIONPEDIA) and images is None:
        raise UsageError(f"A {source.value} file needs --images FOLDER.")
    made = {
        Source.CCP: lambda: convert_ccp(folder, out),
        Source.DEEPFASHION2: lambda: convert_deepfashion2(folder, out),
        Source.MODANET: lambda: convert_modanet(
            folder, out, check=check, download=download, rate=rate, address=address
        ),
        Source.FASHIONPEDIA: lambda: convert_fashionpedia(
            folder, images or folder, out, as_modanet=categories is Kept.MODANET
        ),
        Source.COCO: lambda: plain_coco.convert_coco(folder, images or folder, out),
        Source.SAMPLE: lambda: plain_coco.convert_sample(folder, out),
        Source.FOLDERS: lambda: convert_folders(folder, out, per_folder=per_folder, seed=seed),
        Source.PHOTOS: lambda: own_labels.convert_photos(
            folder, out, load_segmenter(segmenter, threshold=own_labels.UNSURE)
        ),
    }[source]()
    for sentence in made.left_out[:20]:
        typer.echo(f"left out: {sentence}")
    if len(made.left_out) > 20:
        typer.echo(f"left out: … and {len(made.left_out) - 20:,} more.")
    typer.echo(f"{made.images:,} images with {made.annotations:,} annotations lie in {out}.")


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

    found = 0
    for sentence in verify_dataset(folder):
        typer.echo(sentence)
        found += 1
    if found:
        raise DatasetRejected(f"{found:,} faults were found in {folder}.")
    typer.echo(f"Nothing is wrong with {folder}.")


def show(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 12,
    part: Annotated[Part, typer.Option(help="Which part, after a split.")] = Part.ALL,
    first: Annotated[int, typer.Option(min=0, help="Pictures to leave out before.")] = 0,
) -> None:
    """Draw a contact sheet of pictures with their masks and names."""
    from fashionmap.training.datasets.coco_form import read_coco
    from fashionmap.training.datasets.contact_sheet import draw_sheet

    document = read_coco(folder / f"{part.value}.json")
    document["images"] = document["images"][first:]
    if not document["images"]:
        raise UsageError(f"{folder} has no more than {first:,} pictures.")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(draw_sheet(document, folder / "images", count=count))
    typer.echo(f"The contact sheet is {out}.")
