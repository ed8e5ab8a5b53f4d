"""A photo's units (garments and look) with vectors and thumbnails, as an Arrow file."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from fashionmap.domain.documents import stamp_from_json, stamp_to_json
from fashionmap.domain.photo import ModelStamp
from fashionmap.errors import MessageRejected
from fashionmap.ports import Embedder


def units_schema(dimensions: int) -> pa.Schema:
    """Columns of the document; vectors are float32 of length 1 (L2), boxes x, y, w, h in pixels."""
    return pa.schema(
        [
            ("id", pa.string()),
            ("photo_id", pa.string()),
            ("file_name", pa.string()),
            ("unit", pa.string()),
            ("category", pa.string()),
            ("score", pa.float32()),
            ("bbox", pa.list_(pa.float32(), 4)),
            ("area", pa.int32()),
            ("photo_width", pa.int32()),
            ("photo_height", pa.int32()),
            ("counts", pa.string()),
            ("colours", pa.list_(pa.string())),
            ("colour_weights", pa.list_(pa.float32())),
            ("vector", pa.list_(pa.float32(), dimensions)),
            ("thumbnail", pa.binary()),
            ("metadata", pa.string()),
        ]
    )


def units_to_bytes(
    rows: Sequence[Mapping[str, Any]],
    *,
    dimensions: int,
    segmenter: ModelStamp,
    embedder: ModelStamp,
) -> bytes:
    """Rows as an Arrow IPC file, stamped with the two models."""
    stamps = {
        "segmenter": json.dumps(stamp_to_json(segmenter), sort_keys=True),
        "embedder": json.dumps(stamp_to_json(embedder), sort_keys=True),
    }
    schema = units_schema(dimensions).with_metadata(stamps)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.Table.from_pylist([dict(r) for r in rows], schema=schema))
    data: bytes = sink.getvalue().to_pybytes()
    return data


def units_from_bytes(data: bytes) -> pa.Table:
    """The table of ``units_to_bytes``; ``MessageRejected`` where it is none."""
    try:
        return pa.ipc.open_file(pa.BufferReader(data)).read_all()
    except pa.ArrowInvalid as error:
        raise MessageRejected(f"A stored embedding document is damaged: {error}.") from error


def stamps_of(table: pa.Table) -> tuple[ModelStamp, ModelStamp]:
    """The segmenter and the embedder that made the table."""
    metadata = table.schema.metadata
    segmenter, embedder = (json.loads(metadata[k]) for k in (b"segmenter", b"embedder"))
    return stamp_from_json(segmenter), stamp_from_json(embedder)


class ArrowUnitsWriter:
    """The ``UnitsWriter`` port."""

    def write(
        self, rows: Sequence[Mapping[str, Any]], segmenter: ModelStamp, embedder: Embedder
    ) -> bytes:
        """The rows as an Arrow IPC file."""
        return units_to_bytes(
            rows, dimensions=embedder.dimensions, segmenter=segmenter, embedder=embedder.stamp
        )
