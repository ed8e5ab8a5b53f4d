"""A folder of drawn looks in COCO form."""

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from fashionmap.domain.taxonomy import MODANET_PERSON, PERSON
from fashionmap.errors import UsageError
from fashionmap.sample.look import Look, draw_look


def write_looks(
    folder: Path, *, count: int, seed: int, advance: Callable[[int], None] = lambda _: None
) -> None:
    """Writes ``images/000001.jpg`` … , ``annotations.json`` and ``dataset.json``.

    The same seed gives the same bytes, however many looks are drawn.

    Raises:
        UsageError: The folder cannot be written.
    """
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}.") from error
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    context = multiprocessing.get_context("forkserver")  # a fork of OpenCV's threads would hang
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, mp_context=context, initializer=_alone) as pool:
        draw = partial(_write_look, folder / "images", seed)
        for image, found in pool.map(draw, range(1, count + 1), chunksize=4):
            images.append(image)
            annotations += [{"id": len(annotations) + i + 1, **a} for i, a in enumerate(found)]
            advance(1)
    _write_documents(folder, images, annotations, seed)


def annotations_of(look: Look, image_id: int) -> list[dict[str, Any]]:
    """COCO annotations of visible pixels: one a category, and the person with all that is worn."""
    found = []
    for number, category in enumerate(MODANET_PERSON.categories, start=1):
        visible = look.labels > 0 if category == PERSON else look.labels == number
        if not visible.any():
            continue
        rle = coco_mask.encode(np.asfortranarray(visible, dtype=np.uint8))
        found.append(
            {
                "image_id": image_id,
                "category_id": number,
                "bbox": [float(v) for v in coco_mask.toBbox(rle)],
                "area": float(coco_mask.area(rle)),
                "iscrowd": 0,
                "segmentation": {"size": list(visible.shape), "counts": rle["counts"].decode()},
            }
        )
    return found


def encode_jpeg(look: Look) -> bytes:
    """The photo as JPEG."""
    bgr = cv2.cvtColor(look.pixels, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return data.tobytes()


def _alone() -> None:
    cv2.setNumThreads(1)


def _write_look(
    folder: Path, seed: int, number: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    look = draw_look(seed, number)
    name = f"{number:06d}.jpg"
    (folder / name).write_bytes(encode_jpeg(look))
    height, width = look.labels.shape
    image = {"id": number, "file_name": name, "height": height, "width": width, "license": 1}
    return image, annotations_of(look, number)


def _write_documents(
    folder: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]], seed: int
) -> None:
    categories = [{"id": i, "name": n} for i, n in enumerate(MODANET_PERSON.categories, start=1)]
    document = {
        "info": {"description": "fashionMap's drawn street looks", "seed": seed},
        "licenses": [{"id": 1, "name": "CC0-1.0"}],
        "categories": categories,
        "images": images,
        "annotations": annotations,
    }
    text = json.dumps(document, separators=(",", ":"))
    (folder / "annotations.json").write_text(text, "utf-8")
    names = sorted(str(image["file_name"]) for image in images)
    sums = "".join(f"{_sha256(folder / 'images' / n)}  images/{n}\n" for n in names)
    (folder / "SHA256SUMS").write_text(sums, "utf-8")
    about = {
        "format": 1,
        "source": "fashionMap's drawn street looks",
        "licence": "CC0-1.0",
        "taxonomy": MODANET_PERSON.name,
        "categories": list(MODANET_PERSON.categories),
        "seed": seed,
        "images": len(images),
        "annotations": len(annotations),
        "sha256": {name: _sha256(folder / name) for name in ("annotations.json", "SHA256SUMS")},
    }
    (folder / "dataset.json").write_text(json.dumps(about, separators=(",", ":")), "utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
