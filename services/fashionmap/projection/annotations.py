"""All masks of a collection as one COCO data set, written as it comes."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa


class AnnotationsWriter:
    """Writes ``annotations.json`` without holding it in memory.

    Images are written in order; annotations go to a second file that is appended at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._annotations = path.with_name(path.name + ".annotations")
        self._categories: dict[str, int] = {}
        self._images = self._count = 0

    def __enter__(self) -> "AnnotationsWriter":
        self._out = self._path.open("w", encoding="utf-8")
        self._list = self._annotations.open("w", encoding="utf-8")
        self._out.write('{"info":{"description":"fashionMap"},"licenses":[],"images":[')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._list.close()
        if kind is None:
            self._finish()
        self._out.close()
        self._annotations.unlink()

    def use_categories(self, names: list[str]) -> None:
        """Gives ids from 1 to categories in this order; others get the next free ids."""
        for name in names:
            self._categories.setdefault(name, len(self._categories) + 1)

    def add_image(self, file_name: str, *, width: int, height: int) -> int:
        """Adds an image; returns its id."""
        self._images += 1
        self._write(
            self._out,
            {"id": self._images, "file_name": file_name, "width": width, "height": height},
            first=self._images == 1,
        )
        return self._images

    def add_units(self, image_id: int, units: pa.Table) -> None:
        """Adds the units of one photo (columns as in the embedding document)."""
        wanted = [
            "id",
            "category",
            "score",
            "bbox",
            "area",
            "counts",
            "photo_width",
            "photo_height",
        ]
        for row in units.select(wanted).to_pylist():
            self.add(image_id, row)

    def add(self, image_id: int, row: dict[str, Any]) -> None:
        """Adds one unit."""
        self._count += 1
        category = self._categories.setdefault(row["category"], len(self._categories) + 1)
        size = [row["photo_height"], row["photo_width"]]
        annotation = {
            "id": self._count,
            "image_id": image_id,
            "category_id": category,
            "segmentation": {"size": size, "counts": row["counts"]},
            "bbox": [round(v, 2) for v in row["bbox"]],
            "area": row["area"],
            "score": round(row["score"], 5),
            "iscrowd": 0,
            "garment_id": row["id"],
        }
        self._write(self._list, annotation, first=self._count == 1)

    def _finish(self) -> None:
        self._out.write('],"categories":')
        names = [{"id": i, "name": name} for name, i in self._categories.items()]
        json.dump(names, self._out, separators=(",", ":"), ensure_ascii=False)
        self._out.write(',"annotations":[')
        with self._annotations.open(encoding="utf-8") as file:
            while chunk := file.read(1 << 20):
                self._out.write(chunk)
        self._out.write("]}")

    @staticmethod
    def _write(file: Any, record: dict[str, Any], *, first: bool) -> None:
        text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
        file.write(text if first else "," + text)
