"""The data of a map's web page, and the built page itself. See docs/explorer.md for the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fashionmap.domain.documents import to_bytes
from fashionmap.ports import BlobStore
from fashionmap.projection.page_atlases import LEVELS, write_atlases
from fashionmap.projection.page_columns import photo_table, points_tables, to_arrow
from fashionmap.projection.page_details import CHUNK, write_details
from fashionmap.projection.page_photos import SHARD, PhotoBytes, write_previews

BUILT = Path(__file__).parent.parent / "explorer" / "static"
"""Where `make page` puts the built page; a plain page is written where it is not built."""
FORMAT = 2
KINDS = ("garment", "look")


@dataclass(frozen=True)
class PageContent:
    """What a page is made of.

    Attributes:
        table: Rows and columns of ``garments.parquet``.
        vectors: float32 (n, d), in the order of the table.
        pictures: Arrow file with ``thumbnail`` and ``counts`` (COCO run lengths), in that order.
        clusters: Groups by unit, as in ``clusters.json``.
        summary: Content of ``map.json``.
        photos: Gives a photo's bytes by its id; None leaves previews out.
    """

    table: pa.Table
    vectors: NDArray[np.float32]
    pictures: Path
    clusters: Mapping[str, Sequence[Mapping[str, Any]]]
    summary: Mapping[str, Any]
    photos: PhotoBytes | None = None


def write_page(store: BlobStore, prefix: str, content: PageContent) -> bool:
    """Writes ``page/*`` (``about.json`` last), and the built page where there is one.

    Garments come first, then looks, each along a Z-curve over its map: what lies together on the
    screen is in one atlas and in one chunk.

    Returns:
        Whether the built page was written.
    """
    order, units = page_order(content.table)
    table = content.table.take(pa.array(order))
    points, columns = points_tables(table, units)
    photos, facets = photo_table(table)
    store.put(prefix + "page/points.arrow", to_arrow(points))
    store.put(prefix + "page/columns.arrow", to_arrow(columns))
    store.put(prefix + "page/photos.arrow", to_arrow(photos))
    with pa.memory_map(str(content.pictures)) as mapped:
        pictures = pa.ipc.open_file(mapped).read_all()
        for kind, place in units.items():
            rows = order[place["first"] : place["first"] + place["count"]]
            write_atlases(store, f"{prefix}page/", kind, pictures["thumbnail"], rows)
        write_details(store, f"{prefix}page/", table, content.vectors, pictures["counts"], order)
    previews = content.photos is not None
    if content.photos is not None:
        write_previews(store, f"{prefix}page/", photos["id"].to_pylist(), content.photos)
    about = {
        "format": FORMAT,
        "count": table.num_rows,
        "units": units,
        "photos": {"count": photos.num_rows, "shard": SHARD if previews else 0},
        "details": CHUNK,
        "levels": [{"name": v.name, "cell": v.cell, "columns": v.columns} for v in LEVELS],
        "facets": facets,
        "clusters": content.clusters,
        **_told(content.summary),
    }
    store.put(prefix + "page/about.json", to_bytes(about))
    return _copy_built(store, prefix)


def page_order(table: pa.Table) -> tuple[NDArray[np.int64], dict[str, dict[str, Any]]]:
    """The rows in the page's order; and of each kind its first row, count and extent."""
    kinds = np.array(table["unit"].to_pylist(), dtype=object)
    coordinates = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)
    parts, units, first = [], {}, 0
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind)
        if len(rows) == 0:
            continue
        own = coordinates[rows].astype(np.float32)
        parts.append(rows[z_order(own)])
        extent = [float(v) for v in (*own.min(axis=0), *own.max(axis=0))]
        units[kind] = {"first": first, "count": len(rows), "extent": extent}
        first += len(rows)
    return (np.concatenate(parts) if parts else np.zeros(0, np.int64)), units


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


def _told(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the page tells of the map as a whole."""
    return {
        "counts": summary["counts"],
        "created": summary.get("created", ""),
        "quality": summary["quality"],
        "models": {k: summary[k] for k in ("segmenter", "embedder")},
    }


def _copy_built(store: BlobStore, prefix: str) -> bool:
    """Copies the built page; False where it was never built."""
    if not (BUILT / "index.html").exists():
        return False
    for path in sorted(p for p in BUILT.rglob("*") if p.is_file()):
        store.put(prefix + path.relative_to(BUILT).as_posix(), path.read_bytes())
    return True
