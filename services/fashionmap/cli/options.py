"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Photos = Annotated[
    list[str],
    typer.Argument(help="Folders, files or globs: JPEG, PNG, WebP, TIFF, HEIC, AVIF."),
]
SegmenterName = Annotated[
    str,
    typer.Option(
        "--segmenter",
        help="garments-small[+mirror], coco-person[=FILE], a .safetensors file, or NAME@VERSION.",
    ),
]
EmbedderName = Annotated[
    str,
    typer.Option(
        "--embedder",
        help="garments-embedder, vgg16, resnet50, … a .safetensors file, or NAME@VERSION.",
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(help="Weights of the embedder as safetensors, instead of a download."),
]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto.")]
Threads = Annotated[int, typer.Option(min=0, help="Threads of the models; 0: all cores.")]
Threshold = Annotated[
    float | None, typer.Option(min=0.0, max=1.0, help="Least score of a garment that is kept.")
]
