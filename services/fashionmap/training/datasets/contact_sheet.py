"""A contact sheet of pictures with their masks."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fashionmap.training.datasets.coco_form import decode_segmentation

CELL = (440, 300)


def draw_sheet(
    document: dict[str, Any], images: Path, *, count: int = 12, columns: int = 6, least: float = 0.0
) -> bytes:
    """PNG of the first pictures with coloured masks and names.

    Args:
        document: A COCO data set, or one with scores.
        images: Folder of its pictures.
        count: How many.
        columns: Side by side.
        least: Least score to show.
    """
    names = {c["id"]: str(c["name"]) for c in document["categories"]}
    by_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in document["annotations"]:
        if names[annotation["category_id"]] != "person" and annotation.get("score", 1) >= least:
            by_image[annotation["image_id"]].append(annotation)
    cells = [
        _cell(images / i["file_name"], by_image[i["id"]], names) for i in document["images"][:count]
    ]
    blank = np.full((*CELL, 3), 255, np.uint8)
    cells += [blank] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    done, data = cv2.imencode(".png", np.vstack(rows))
    assert done
    return data.tobytes()


def _cell(
    path: Path, annotations: list[dict[str, Any]], names: dict[int, str]
) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        return np.zeros((*CELL, 3), np.uint8)
    height, width = picture.shape[:2]
    for annotation in annotations:
        colour = _colour(annotation["category_id"])
        mask = decode_segmentation(annotation["segmentation"], height=height, width=width) > 0
        picture[mask] = picture[mask] // 2 + colour // 2
    scale = min(CELL[0] / height, CELL[1] / width)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)))
    cell = np.full((*CELL, 3), 255, np.uint8)
    cell[: small.shape[0], : small.shape[1]] = small
    for annotation in annotations:
        x, y, w, h = annotation["bbox"]
        text = names[annotation["category_id"]]
        if "score" in annotation:
            text += f" {annotation['score']:.2f}"
        _write(cell, text, middle=round((x + w / 2) * scale), row=round((y + h / 2) * scale))
    return cell


def _write(cell: NDArray[np.uint8], text: str, *, middle: int, row: int) -> None:
    """White words with a black rim, centred where there is room."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    width = cv2.getTextSize(text, font, 0.4, 1)[0][0]
    place = (min(max(middle - width // 2, 2), max(cell.shape[1] - width - 2, 2)), row)
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(cell, text, place, font, 0.4, colour, thickness, cv2.LINE_AA)


def _colour(category: int) -> NDArray[np.uint8]:
    hue = np.array([[[(category * 67) % 180, 200, 240]]], np.uint8)
    colour: NDArray[np.uint8] = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0]
    return colour
