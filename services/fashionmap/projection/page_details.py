"""What the page needs of single units: masks, boxes, colours, nearest neighbours; in chunks."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionmap.ports import BlobStore
from fashionmap.projection.neighbours import nearest_neighbours
from fashionmap.projection.page_columns import to_arrow

CHUNK = 256
"""Units of a chunk: 100 to 250 KB, of which most are masks."""
NEAR = 24
"""Neighbours that are kept of a unit."""
NOBODY = 2**32 - 1


def write_details(
    store: BlobStore,
    prefix: str,
    table: pa.Table,
    vectors: NDArray[np.float32],
    counts: pa.ChunkedArray,
    order: NDArray[np.int64],
) -> None:
    """Writes ``details-{number}.arrow`` with 256 units each.

    Args:
        store: Takes the chunks.
        prefix: Key prefix.
        table: Units in the page's order.
        vectors: float32 (n, d), in the order of the build.
        counts: Run lengths, in the order of the build.
        order: Row of the build for each unit of the page.
    """
    near = neighbours_of_kinds(table["unit"].to_pylist(), vectors[order])
    wanted = table.select(["bbox", "area", "colours", "colour_weights"])
    for number, first in enumerate(range(0, len(order), CHUNK)):
        rows = order[first : first + CHUNK].tolist()
        part = wanted.slice(first, CHUNK)
        flat = pa.array(near[first : first + CHUNK].ravel(), pa.uint32())
        part = part.append_column("near", pa.FixedSizeListArray.from_arrays(flat, NEAR))
        masks = pa.array([counts[row].as_py() for row in rows], pa.string())
        part = part.append_column("counts", masks)
        store.put(f"{prefix}details-{number}.arrow", to_arrow(part))


def neighbours_of_kinds(kinds: list[str], vectors: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Rows of each unit's nearest units of its kind, uint32 (n, 24); ``NOBODY`` where there are
    fewer."""
    near = np.full((len(kinds), NEAR), NOBODY, np.uint32)
    named = np.array(kinds, dtype=object)
    for kind in set(kinds):
        rows = np.flatnonzero(named == kind)
        if len(rows) > 1:
            found, _ = nearest_neighbours(vectors[rows], NEAR)
            near[rows[:, None], np.arange(found.shape[1])] = rows[found]
    return near
