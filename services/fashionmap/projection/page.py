"""The data of a map's web page: columns, picture atlases, small vectors, and the built page."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from fashionmap.domain.documents import from_bytes, to_bytes
from fashionmap.ports import BlobStore

BUILT = Path(__file__).parent.parent / "explorer" / "static"
"""Where `make page` puts the built page; a plain page is written where it is not built."""
SMALL, SMALL_SIDE = 64, 2048
LARGE, LARGE_SIDE = 192, 1920
FORMAT = 1
OWN = (
    *("id", "photo_id", "file_name", "unit", "category", "score", "bbox", "area"),
    *("photo_width", "photo_height", "colours", "colour_weights", "x", "y", "grid_x", "grid_y"),
    *("cluster", "cluster_label", "segmenter", "embedder"),
)


def write_page(store: BlobStore, prefix: str, summary: dict[str, Any]) -> bool:
    """Writes ``page/*``, and the built page with its assets where there is one.

    Units are ordered along a Z-curve over the map, so that what lies together is in one atlas.

    Args:
        store: Holds the map's tables under ``prefix``, and takes the page.
        prefix: Key prefix of the map.
        summary: Content of ``map.json``.

    Returns:
        Whether the built page was written.
    """
    table = pq.read_table(pa.BufferReader(store.get(prefix + "garments.parquet")))
    order = z_order(_coordinates(table))
    store.put(prefix + "page/points.arrow", _arrow(_points(table.take(pa.array(order)))))
    _write_pictures(store, prefix, order)
    vectors = pq.read_table(pa.BufferReader(store.get(prefix + "vectors.parquet")))["vector"]
    store.put(prefix + "page/vectors.i8", _small_vectors(vectors, order).tobytes())
    about = {
        "format": FORMAT,
        "count": table.num_rows,
        "counts": summary["counts"],
        "unit": summary["unit"],
        "models": {k: summary[k] for k in ("segmenter", "embedder")},
        "quality": summary["quality"],
        "clusters": from_bytes(store.get(prefix + "clusters.json")),
        "atlases": {
            "small": {"cell": SMALL, "side": SMALL_SIDE},
            "large": {"cell": LARGE, "side": LARGE_SIDE},
        },
        "metadata": [name for name in table.column_names if name not in OWN],
    }
    store.put(prefix + "page/about.json", to_bytes(about))
    return _copy_built(store, prefix)


def z_order(coordinates: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rows along a Z-curve (Morton 1966) over the map's bounding square."""
    if len(coordinates) == 0:
        return np.zeros(0, np.int64)
    low = coordinates.min(axis=0)
    extent = float(np.ptp(coordinates, axis=0).max()) + 1e-9
    cells = ((coordinates - low) / extent * 1023).astype(np.int64)
    code = np.zeros(len(cells), np.int64)
    for bit in range(10):
        code |= ((cells[:, 0] >> bit) & 1) << (2 * bit)
        code |= ((cells[:, 1] >> bit) & 1) << (2 * bit + 1)
    return np.argsort(code, kind="stable")


def _coordinates(table: pa.Table) -> NDArray[np.float32]:
    return np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1).astype(np.float32)


def _points(table: pa.Table) -> pa.Table:
    """The columns that the page needs, colours as three bytes."""
    first = [c[0] if c else "#808080" for c in table["colours"].to_pylist()]
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in first], np.uint8)
    rgb = rgb.reshape(-1, 3)
    columns: dict[str, Any] = {
        "id": table["id"],
        "unit": pa.array(table["unit"].to_pylist(), pa.string()).dictionary_encode(),
        "category": pa.array(table["category"].to_pylist(), pa.string()).dictionary_encode(),
        "file_name": table["file_name"],
        "photo_id": table["photo_id"],
        "score": table["score"],
        "label": pa.array(table["cluster_label"].to_pylist(), pa.string()).dictionary_encode(),
        **{name: table[name] for name in ("x", "y", "grid_x", "grid_y")},
        **{name: pa.array(rgb[:, i]) for i, name in enumerate(("red", "green", "blue"))},
    }
    for name in table.column_names:
        if name not in OWN:
            columns[f"meta:{name}"] = table[name]
    return pa.table(columns)


def _arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _small_vectors(vectors: pa.ChunkedArray, order: NDArray[np.int64]) -> NDArray[np.int8]:
    """Unit vectors in steps of 1/127, int8 (n, d): their products rank neighbours."""
    if len(vectors) == 0:
        return np.zeros((0, 1), np.int8)
    flat = vectors.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    matrix = flat.reshape(len(vectors), -1)[order]
    scale = 127 / max(float(np.abs(matrix).max()), 1e-9)
    small: NDArray[np.int8] = np.rint(matrix * scale).astype(np.int8)
    return small


def _write_pictures(store: BlobStore, prefix: str, order: NDArray[np.int64]) -> None:
    """Atlases in two sizes; a large one's pictures are in memory at a time."""
    file = pq.ParquetFile(pa.BufferReader(store.get(prefix + "thumbnails.parquet")))
    large_a_sheet = (LARGE_SIDE // LARGE) ** 2
    small: Image.Image | None = None
    small_a_sheet = (SMALL_SIDE // SMALL) ** 2
    for number, rows in enumerate(_chunks(order, large_a_sheet)):
        large = Image.new("RGBA", (LARGE_SIDE, LARGE_SIDE))
        for cell, data in enumerate(_read(file, rows)):
            picture = Image.open(io.BytesIO(data)).convert("RGBA")
            _put(large, picture, cell, LARGE, LARGE_SIDE)
            place = (number * large_a_sheet + cell) % small_a_sheet
            if place == 0 and small is not None:
                _save(store, f"{prefix}page/small-{_sheet(number, cell) - 1}.webp", small)
                small = None
            small = small or Image.new("RGBA", (SMALL_SIDE, SMALL_SIDE))
            _put(small, picture, place, SMALL, SMALL_SIDE)
        _save(store, f"{prefix}page/large-{number}.webp", large)
    if small is not None:
        last = (len(order) - 1) // small_a_sheet
        _save(store, f"{prefix}page/small-{last}.webp", small)


def _sheet(number: int, cell: int) -> int:
    return (number * (LARGE_SIDE // LARGE) ** 2 + cell) // (SMALL_SIDE // SMALL) ** 2


def _chunks(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _read(file: pq.ParquetFile, rows: NDArray[np.int64]) -> list[bytes]:
    """Pictures of some rows, in that order; each row group is read at most once."""
    found: dict[int, bytes] = {}
    first = 0
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        wanted = [int(r) for r in rows if first <= r < first + count]
        if wanted:
            column = file.read_row_group(group, columns=["thumbnail"])["thumbnail"]
            found.update({r: column[r - first].as_py() for r in wanted})
        first += count
    return [found[int(r)] for r in rows]


def _put(sheet: Image.Image, picture: Image.Image, place: int, cell: int, side: int) -> None:
    """Puts a picture into the middle of a cell, with room so that no neighbour shows."""
    room = cell - cell // 12
    scale = min(room / picture.width, room / picture.height)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    small = picture.resize(size, Image.Resampling.LANCZOS) if size != picture.size else picture
    row, column = divmod(place, side // cell)
    left = column * cell + (cell - size[0]) // 2
    sheet.paste(small, (left, row * cell + (cell - size[1]) // 2))


def _save(store: BlobStore, key: str, sheet: Image.Image) -> None:
    sink = io.BytesIO()
    sheet.save(sink, "WEBP", quality=80, method=2)
    store.put(key, sink.getvalue())


def _copy_built(store: BlobStore, prefix: str) -> bool:
    """Copies the built page; False where it was never built."""
    if not (BUILT / "index.html").exists():
        return False
    for path in sorted(p for p in BUILT.rglob("*") if p.is_file()):
        store.put(prefix + path.relative_to(BUILT).as_posix(), path.read_bytes())
    return True
