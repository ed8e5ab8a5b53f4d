"""One pass over a collection's embedding documents: columns in memory, pictures to disk."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fashionmap.adapters.units_table import units_from_bytes
from fashionmap.domain.photo import Photo
from fashionmap.projection.annotations import AnnotationsWriter

COLUMNS = (
    *("id", "photo_id", "file_name", "unit", "category", "score", "bbox", "area"),
    *("photo_width", "photo_height", "colours", "colour_weights", "metadata"),
)
ROW_GROUP = 1024


@dataclass
class Collected:
    """The units of a map, in the order of their documents.

    Attributes:
        rows: Columns of ``COLUMNS`` as an Arrow table, n rows.
        vectors: float32 (n, d).
        photos: Documents read.
        bare: Documents without any unit.
        models: ``segmenter`` and ``embedder`` as JSON text.
    """

    rows: pa.Table
    vectors: NDArray[np.float32]
    photos: int
    bare: int
    models: dict[str, str] = field(default_factory=dict)

    def strings(self, column: str) -> list[str]:
        """A text column as a list."""
        values: list[str] = self.rows[column].to_pylist()
        return values

    def first_colours(self) -> list[str]:
        """Each unit's leading colour, ``""`` where it has none."""
        return [c[0] if c else "" for c in self.rows["colours"].to_pylist()]


def collect(
    documents: Iterable[bytes],
    *,
    unit: str,
    scratch: Path,
    categories: list[str],
    described: Mapping[str, Photo] | None = None,
) -> Collected:
    """Reads embedding documents; writes thumbnails and annotations into ``scratch`` on the way.

    Args:
        documents: Arrow files, one a photo.
        unit: ``garment``, ``look`` or ``both``: whose rows are kept. Annotations hold all garments.
        scratch: Folder for ``thumbnails.parquet``, ``pictures.arrow`` and ``annotations.json``.
        categories: Names for the COCO categories, in order.
        described: Photos by id whose file names and metadata are newer than the documents'.
    """
    tables: list[pa.Table] = []
    vectors: list[NDArray[np.float32]] = []
    photos = bare = 0
    models: dict[str, str] = {}
    with (
        AnnotationsWriter(scratch / "annotations.json") as annotations,
        _PictureWriter(scratch) as pictures,
    ):
        annotations.use_categories(categories)
        for data in documents:
            table = units_from_bytes(data)
            photos += 1
            models = models or _models(table)
            if table.num_rows == 0:
                bare += 1
                continue
            table = _described(table, described or {})
            _annotate(annotations, table, unit)
            kept = table if unit == "both" else table.filter(pc.field("unit") == unit)
            pictures.add(kept)
            vectors.append(_matrix(kept))
            tables.append(kept.select(COLUMNS).replace_schema_metadata(None))
    schema = _empty_schema()
    rows = pa.concat_tables(tables).combine_chunks() if tables else schema.empty_table()
    matrix = np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float32)
    return Collected(rows, matrix, photos, bare, models)


class _PictureWriter:
    """``thumbnails.parquet`` in row groups of at most 1,024, and ``pictures.arrow``.

    The second holds thumbnails and masks in a form that is read at any row without reading all.
    """

    def __init__(self, scratch: Path) -> None:
        schema = pa.schema([("id", pa.string()), ("thumbnail", pa.binary())])
        self._writer = pq.ParquetWriter(scratch / "thumbnails.parquet", schema, compression="none")
        own = pa.schema([("thumbnail", pa.binary()), ("counts", pa.string())])
        self._arrow = pa.ipc.new_file(str(scratch / "pictures.arrow"), own)
        self._held: list[pa.Table] = []
        self._count = 0

    def __enter__(self) -> "_PictureWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._writer.close()
        self._arrow.close()

    def add(self, units: pa.Table) -> None:
        wanted = units.select(["id", "thumbnail", "counts"])
        self._held.append(wanted.replace_schema_metadata(None))
        self._count += units.num_rows
        if self._count >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._count:
            held = pa.concat_tables(self._held)
            self._writer.write_table(held.drop_columns(["counts"]), row_group_size=ROW_GROUP)
            self._arrow.write_table(held.drop_columns(["id"]).combine_chunks())
        self._held, self._count = [], 0


def metadata_columns(texts: list[str]) -> dict[str, list[Any]]:
    """One column a metadata name, from a JSON object a row; None where a row has none."""
    distinct = {text: json.loads(text) for text in set(texts)}
    names = sorted({name for record in distinct.values() for name in record})
    return {name: [distinct[text].get(name) for text in texts] for name in names}


def _described(table: pa.Table, photos: Mapping[str, Photo]) -> pa.Table:
    """The table under the file name and with the metadata that hold now."""
    photo = photos.get(table["photo_id"][0].as_py())
    if photo is None:
        return table
    texts = {
        "file_name": photo.file_name,
        "metadata": json.dumps(dict(photo.metadata), sort_keys=True, ensure_ascii=False),
    }
    for name, text in texts.items():
        column = pa.array([text] * table.num_rows, pa.string())
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _annotate(writer: AnnotationsWriter, table: pa.Table, unit: str) -> None:
    first = table.slice(0, 1).to_pylist()[0]
    image_id = writer.add_image(
        first["file_name"], width=first["photo_width"], height=first["photo_height"]
    )
    shown = "look" if unit == "look" else "garment"
    writer.add_units(image_id, table.filter(pc.field("unit") == shown))


def _matrix(table: pa.Table) -> NDArray[np.float32]:
    column = table["vector"].combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False)
    matrix: NDArray[np.float32] = flat.reshape(table.num_rows, column.type.list_size)
    return matrix.astype(np.float32)


def _models(table: pa.Table) -> dict[str, str]:
    metadata = table.schema.metadata or {}
    return {k: metadata[k.encode()].decode() for k in ("segmenter", "embedder")}


def _empty_schema() -> pa.Schema:
    from fashionmap.adapters.units_table import units_schema

    schema = units_schema(1)
    return pa.schema([schema.field(name) for name in COLUMNS])
