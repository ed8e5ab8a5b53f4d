"""A map's columns for its page: small types, one row a unit or one row a photo."""

import datetime
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

STEPS = 65535
"""Coordinates are whole steps over the extent of their unit's map."""
MOST_CHOICES = 400
"""A text column with more distinct values is searched, but is no facet."""
NO_DATE = -(2**31)
OWN = (
    *("id", "photo_id", "file_name", "unit", "category", "score", "bbox", "area"),
    *("photo_width", "photo_height", "colours", "colour_weights", "x", "y", "grid_x", "grid_y"),
    *("cluster", "cluster_label", "segmenter", "embedder"),
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


def points_tables(
    table: pa.Table, units: Mapping[str, Mapping[str, Any]]
) -> tuple[pa.Table, pa.Table]:
    """What the first picture needs (8 bytes a unit), and what comes right after it.

    Args:
        table: Units in the page's order.
        units: Of each kind, ``first``, ``count`` and ``extent`` (x1, y1, x2, y2).
    """
    colours = rgb_of(table["colours"].to_pylist())
    x, y = (_steps(table[name].to_numpy(), units, axis) for axis, name in enumerate("xy"))
    points = pa.table(
        {
            "x": pa.array(x),
            "y": pa.array(y),
            **{name: colours[:, i] for i, name in enumerate(("red", "green", "blue"))},
            "category": _dictionary(table["category"], pa.int8()),
        }
    )
    photo = pc.dictionary_encode(table["photo_id"]).combine_chunks()
    columns = pa.table(
        {
            "grid_x": table["grid_x"].cast(pa.uint16()),
            "grid_y": table["grid_y"].cast(pa.uint16()),
            "label": _dictionary(table["cluster_label"], pa.int16()),
            "photo": photo.indices.cast(pa.uint32()) if len(photo) else pa.array([], pa.uint32()),
            "number": pa.array(_numbers(table["id"].to_pylist()), pa.int16()),
            "score": pa.array(np.rint(table["score"].to_numpy() * 255).astype(np.uint8)),
        }
    )
    return points, columns


def photo_table(table: pa.Table) -> tuple[pa.Table, list[dict[str, Any]]]:
    """One row a photo, in the order in which ``points_tables`` numbers them; and its facets."""
    ids = table["photo_id"].to_pylist()
    first = {photo: row for row, photo in reversed(list(enumerate(ids)))}
    rows = table.take(pa.array(sorted(first.values()), pa.int64()))
    columns: dict[str, Any] = {
        "id": rows["photo_id"].cast(pa.string()),
        "file_name": rows["file_name"].cast(pa.string()),
        "width": rows["photo_width"],
        "height": rows["photo_height"],
    }
    facets = []
    for name in (n for n in table.column_names if n not in OWN):
        column, facet = _facet(name, rows[name])
        columns[f"meta:{name}"] = column
        facets.append(facet)
    return pa.table(columns), facets


def rgb_of(colours: list[list[str]]) -> NDArray[np.uint8]:
    """Leading colours uint8 (n, 3); grey where a unit has none."""
    first = "".join(c[0][1:] if c else "808080" for c in colours)
    return np.frombuffer(bytes.fromhex(first), np.uint8).reshape(-1, 3)


def to_arrow(table: pa.Table) -> bytes:
    """The table as an Arrow IPC file of one batch."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _steps(
    values: NDArray[np.float32], units: Mapping[str, Mapping[str, Any]], axis: int
) -> NDArray[np.uint16]:
    steps = np.zeros(len(values), np.uint16)
    for place in units.values():
        rows = slice(place["first"], place["first"] + place["count"])
        low, high = place["extent"][axis], place["extent"][axis + 2]
        part = (values[rows] - low) / max(high - low, 1e-9) * STEPS
        steps[rows] = np.clip(np.rint(part), 0, STEPS).astype(np.uint16)
    return steps


def _dictionary(column: pa.ChunkedArray, index: pa.DataType) -> pa.Array:
    return column.cast(pa.string()).combine_chunks().cast(pa.dictionary(index, pa.string()))


def _numbers(ids: list[str]) -> list[int]:
    """The number at the end of each id, -1 for a look."""
    return [-1 if i.endswith("-look") else int(i.rpartition("-")[2]) for i in ids]


def _facet(name: str, column: pa.ChunkedArray) -> tuple[pa.Array, dict[str, Any]]:
    """A metadata column in its smallest form, and what the page must know of it."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = column.cast(pa.float64()).fill_null(float("nan")).combine_chunks()
        return values, {"name": name, "kind": "number"}
    if pa.types.is_boolean(kind):
        words = [None if v is None else "yes" if v else "no" for v in column.to_pylist()]
        return _dictionary(pa.chunked_array([words]), pa.int16()), {"name": name, "kind": "choice"}
    texts = pa.chunked_array([pa.array(column.to_pylist(), pa.string())])
    days = _days(texts.to_pylist())
    if days is not None:
        return pa.array(days, pa.int32()), {"name": name, "kind": "date"}
    if len(pc.unique(texts)) <= MOST_CHOICES:
        return _dictionary(texts, pa.int16()), {"name": name, "kind": "choice"}
    return texts.combine_chunks(), {"name": name, "kind": "text"}


def _days(values: list[str | None]) -> list[int] | None:
    """Days since 1970 where every value is an ISO date, else None."""
    days = []
    for value in values:
        if value is None or value == "":
            days.append(NO_DATE)
            continue
        if not _DATE.fullmatch(value):
            return None
        try:
            day = datetime.date.fromisoformat(value[:10])
        except ValueError:
            return None
        days.append((day - datetime.date(1970, 1, 1)).days)
    return days if any(d != NO_DATE for d in days) else None
