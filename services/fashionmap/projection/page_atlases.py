"""Cut-outs in picture atlases at three levels of detail."""

import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from fashionmap.ports import BlobStore


@dataclass(frozen=True)
class Level:
    """A level of detail.

    Attributes:
        name: Begins the names of its sheets.
        cell: Pixels of a picture's square cell.
        columns: Cells in a row; a sheet has as many rows.
    """

    name: str
    cell: int
    columns: int

    @property
    def cells(self) -> int:
        """Pictures of a sheet."""
        return self.columns**2


LEVELS = (Level("tiny", 16, 64), Level("small", 64, 16), Level("large", 192, 4))


class Atlas:
    """The sheets of one level and kind; a sheet is written when it is full."""

    def __init__(self, store: BlobStore, prefix: str, kind: str, level: Level) -> None:
        self._store, self._start, self._level = store, f"{prefix}{level.name}-{kind}-", level
        self._count = 0
        self._sheet: Image.Image | None = None

    def add(self, picture: Image.Image) -> None:
        """Puts an RGBA picture into the next cell."""
        cell, columns = self._level.cell, self._level.columns
        if self._sheet is None:
            self._sheet = Image.new("RGBA", (cell * columns, cell * columns))
        small = fitted(picture, cell)
        row, column = divmod(self._count % self._level.cells, columns)
        left, top = column * cell + (cell - small.width) // 2, row * cell
        self._sheet.paste(small, (left, top + (cell - small.height) // 2))
        self._count += 1
        if self._count % self._level.cells == 0:
            self._save()

    def close(self) -> None:
        """Writes the sheet that is not full."""
        if self._sheet is not None:
            self._save()

    def _save(self) -> None:
        assert self._sheet is not None
        number = (self._count - 1) // self._level.cells
        self._store.put(f"{self._start}{number}.webp", webp(self._sheet))
        self._sheet = None


def write_atlases(
    store: BlobStore, prefix: str, kind: str, pictures: pa.ChunkedArray, rows: NDArray[np.int64]
) -> None:
    """Writes ``{level}-{kind}-{number}.webp``; each picture is decoded once.

    Args:
        store: Takes the sheets.
        prefix: Key prefix.
        kind: ``garment`` or ``look``.
        pictures: WebP bytes of all units.
        rows: The kind's rows in them, in the page's order.
    """
    atlases = [Atlas(store, prefix, kind, level) for level in LEVELS]
    for row in rows.tolist():
        picture = Image.open(io.BytesIO(pictures[row].as_py())).convert("RGBA")
        for atlas in atlases:
            atlas.add(picture)
    for atlas in atlases:
        atlas.close()


def fitted(picture: Image.Image, cell: int) -> Image.Image:
    """The picture as large as fits into a cell with room so that no neighbour shows."""
    room = cell - max(cell // 12, 2)
    scale = min(room / picture.width, room / picture.height)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def webp(image: Image.Image, *, quality: int = 80) -> bytes:
    """A picture as WebP."""
    sink = io.BytesIO()
    image.save(sink, "WEBP", quality=quality, method=2)
    return sink.getvalue()
