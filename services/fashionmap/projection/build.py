"""A collection's map: from embedding documents to the files of a map folder."""

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fashionmap import __version__
from fashionmap.domain.documents import to_bytes
from fashionmap.domain.photo import Photo
from fashionmap.domain.taxonomy import MODANET
from fashionmap.ports import BlobStore
from fashionmap.projection.clusters import Clusters, cluster_map
from fashionmap.projection.collect import Collected, collect, metadata_columns
from fashionmap.projection.grid import assign_to_grid
from fashionmap.projection.index_page import index_page
from fashionmap.projection.page import PageContent, write_page
from fashionmap.projection.page_photos import PhotoBytes
from fashionmap.projection.patterns import NOT_CLOTH, pattern_of_picture
from fashionmap.projection.pictures import draw_grid, draw_poster
from fashionmap.projection.projector import Projector, ProjectorParameters
from fashionmap.projection.quality import map_quality
from fashionmap.projection.words import name_colours

UNITS = ("garment", "look")
FORMAT = 1


@dataclass(frozen=True)
class MapContext:
    """What ``map.json`` tells of the run beside the map itself.

    Attributes:
        rejected: ``file_name`` and ``reason`` of refused photos.
        duplicates: ``file_name`` and ``same_as`` of photos whose bytes came before.
        timings: Seconds of the stages before.
        fingerprint: Names inputs and parameters; an equal one means an equal map.
        described: Photos by id whose file names and metadata are newer than the documents'.
        photos: Gives a photo's bytes, for previews on the page; None leaves them out.
    """

    rejected: Sequence[Mapping[str, str]] = ()
    duplicates: Sequence[Mapping[str, str]] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    described: Mapping[str, Photo] = field(default_factory=dict)
    photos: PhotoBytes | None = None


@dataclass(frozen=True)
class Layout:
    """Where the units of one kind lie.

    Attributes:
        rows: int64 (n,), the units' rows in the map's tables.
        coordinates: float32 (n, 2).
        cells: int32 (n, 2) as (column, row).
        shape: Rows and columns of the grid.
        clusters: Groups at three levels.
        quality: Figures of ``map_quality``.
    """

    rows: NDArray[np.int64]
    coordinates: NDArray[np.float32]
    cells: NDArray[np.int32]
    shape: tuple[int, int]
    clusters: Clusters
    quality: dict[str, float]


def build_map(
    documents: Iterable[bytes],
    *,
    store: BlobStore,
    prefix: str,
    unit: str = "garment",
    parameters: ProjectorParameters | None = None,
    context: MapContext | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Builds a map and writes all its files, ``map.json`` last.

    Args:
        documents: Embedding documents (Arrow), one a photo; read once, in order.
        store: Where to write.
        prefix: Key prefix of the map.
        unit: ``garment``, ``look`` or ``both``.
        parameters: Of the projection.
        context: What else to tell in ``map.json``.
        progress: Is told what begins.

    Returns:
        The content of ``map.json``.
    """
    chosen, about = parameters or ProjectorParameters(), context or MapContext()
    clock = _Clock(dict(about.timings))
    with tempfile.TemporaryDirectory(prefix="fashionmap-") as folder:
        scratch = Path(folder)
        progress("Reading embeddings")
        units = collect(
            documents,
            unit=unit,
            scratch=scratch,
            categories=list(MODANET.categories),
            described=about.described,
        )
        clock.lap("collect")
        layouts = {
            kind: _lay_out(kind, units, chosen, scratch, progress)
            for kind in (UNITS if unit == "both" else (unit,))
        }
        clock.lap("project")
        progress("Drawing poster and grid")
        _draw(layouts, units, scratch, store, prefix)
        clock.lap("draw")
        progress("Writing tables and the page")
        table = _garments(layouts, units)
        _write_tables(table, layouts, units, scratch, store, prefix)
        clock.lap("write")
        summary = _summary(layouts, units, unit, chosen, about, clock.seconds)
        _write_page(table, layouts, units, scratch, summary, about, store, prefix)
        clock.lap("page")
    store.put(prefix + "map.json", json.dumps(summary, indent=1, ensure_ascii=False).encode())
    return summary


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = round(now - self._last, 2)
        self._last = now


def _lay_out(
    kind: str,
    units: Collected,
    parameters: ProjectorParameters,
    scratch: Path,
    progress: Callable[[str], None],
) -> Layout:
    rows = np.flatnonzero(np.array(units.strings("unit")) == kind)
    progress(f"Projecting {len(rows):,} {'garments' if kind == 'garment' else 'looks'}")
    vectors = units.vectors[rows]
    coordinates = Projector(parameters).fit(vectors)
    categories, colours = units.strings("category"), units.first_colours()
    names = dict(zip(set(colours) - {""}, name_colours(list(set(colours) - {""})), strict=True))
    cells, shape = assign_to_grid(coordinates)
    clusters = cluster_map(
        coordinates,
        [categories[i] for i in rows],
        [names.get(colours[i], "") for i in rows],
        _patterns(scratch, rows, categories),
        seed=parameters.seed,
    )
    quality = map_quality(vectors, coordinates, [categories[i] for i in rows], seed=parameters.seed)
    return Layout(rows, coordinates, cells, shape, clusters, quality)


def _patterns(scratch: Path, rows: NDArray[np.int64], categories: Sequence[str]) -> list[str]:
    with pa.memory_map(str(scratch / "pictures.arrow")) as mapped:
        thumbnails = pa.ipc.open_file(mapped).read_all()["thumbnail"]
        return [
            "" if categories[row] in NOT_CLOTH else pattern_of_picture(thumbnails[int(row)].as_py())
            for row in rows
        ]


def _draw(
    layouts: Mapping[str, Layout], units: Collected, scratch: Path, store: BlobStore, prefix: str
) -> None:
    scores = np.array(units.rows["score"].to_pylist(), dtype=np.float32)
    with pa.memory_map(str(scratch / "pictures.arrow")) as mapped:
        thumbnails = pa.ipc.open_file(mapped).read_all()["thumbnail"]
        for number, layout in enumerate(layouts.values()):
            ending = "-look" if number else ""

            def pictures(
                chosen: Sequence[int], rows: NDArray[np.int64] = layout.rows
            ) -> dict[int, bytes]:
                return {i: thumbnails[int(rows[i])].as_py() for i in chosen}

            coarse = next((g for g in layout.clusters.groups if len(g) > 3), [])
            poster = draw_poster(layout.coordinates, scores[layout.rows], pictures, coarse)
            store.put(f"{prefix}poster{ending}.png", poster)
            store.put(f"{prefix}grid{ending}.png", draw_grid(layout.cells, layout.shape, pictures))


def _write_page(
    table: pa.Table,
    layouts: Mapping[str, Layout],
    units: Collected,
    scratch: Path,
    summary: dict[str, Any],
    context: MapContext,
    store: BlobStore,
    prefix: str,
) -> None:
    content = PageContent(
        table=table,
        vectors=units.vectors,
        pictures=scratch / "pictures.arrow",
        clusters=_groups(layouts),
        summary=summary,
        photos=context.photos,
    )
    if not write_page(store, prefix, content):
        store.put(prefix + "index.html", index_page(summary).encode())


def _groups(layouts: Mapping[str, Layout]) -> dict[str, list[dict[str, Any]]]:
    return {
        kind: [group for level in layout.clusters.groups for group in level]
        for kind, layout in layouts.items()
    }


def _write_tables(
    garments: pa.Table,
    layouts: Mapping[str, Layout],
    units: Collected,
    scratch: Path,
    store: BlobStore,
    prefix: str,
) -> None:
    pq.write_table(garments, scratch / "garments.parquet", compression="zstd")
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(units.vectors.ravel()), max(units.vectors.shape[1], 1)
    )
    table = pa.table({"id": units.rows["id"], "vector": vectors.cast(pa.list_(pa.float32()))})
    pq.write_table(table, scratch / "vectors.parquet", compression="none")
    store.put(prefix + "clusters.json", to_bytes(_groups(layouts)))
    for name in ("garments.parquet", "vectors.parquet", "thumbnails.parquet", "annotations.json"):
        store.put_file(prefix + name, scratch / name)


def _garments(layouts: Mapping[str, Layout], units: Collected) -> pa.Table:
    """The map's main table; see the README for its columns."""
    count = units.rows.num_rows
    coordinates = np.zeros((count, 2), np.float32)
    cells = np.full((count, 2), -1, np.int32)
    cluster = np.full(count, -1, np.int32)
    words = np.full(count, "", dtype=object)
    for layout in layouts.values():
        coordinates[layout.rows], cells[layout.rows] = layout.coordinates, layout.cells
        cluster[layout.rows] = layout.clusters.labels[-1]
        words[layout.rows] = layout.clusters.finest_label()
    table = units.rows.drop_columns(["metadata"])
    added = {
        "x": pa.array(coordinates[:, 0]),
        "y": pa.array(coordinates[:, 1]),
        "grid_x": pa.array(cells[:, 0]),
        "grid_y": pa.array(cells[:, 1]),
        "cluster": pa.array(cluster),
        "cluster_label": pa.array(words.tolist(), pa.string()),
        "segmenter": pa.array([_key(units.models.get("segmenter"))] * count, pa.string()),
        "embedder": pa.array([_key(units.models.get("embedder"))] * count, pa.string()),
    }
    for name, column in added.items():
        table = table.append_column(name, column)
    for name, values in metadata_columns(units.strings("metadata")).items():
        shown = f"meta_{name}" if name in table.column_names else name
        table = table.append_column(shown, _typed(values))
    return table


def _typed(values: list[Any]) -> pa.Array:
    """A column of one type; text where types differ."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int, float} and len(kinds) == 2:
        return pa.array([None if v is None else float(v) for v in values])
    if len(kinds) > 1:
        return pa.array([None if v is None else str(v) for v in values])
    return pa.array(values)


def _key(stamp: str | None) -> str:
    if stamp is None:
        return ""
    record = json.loads(stamp)
    return f"{record['name']}@{record['version']}-{record['sha256'][:8]}"


def _summary(
    layouts: Mapping[str, Layout],
    units: Collected,
    unit: str,
    parameters: ProjectorParameters,
    context: MapContext,
    timings: dict[str, float],
) -> dict[str, Any]:
    kinds = units.strings("unit")
    first = next(iter(layouts.values()))
    return {
        "format": FORMAT,
        "fashionmap": __version__,
        "unit": unit,
        "counts": {
            "photos": units.photos,
            "garments": kinds.count("garment"),
            "looks": kinds.count("look"),
            "rejected": len(context.rejected),
            "duplicates": len(context.duplicates),
            "no_garments": units.bare,
        },
        "segmenter": json.loads(units.models.get("segmenter", "null")),
        "embedder": json.loads(units.models.get("embedder", "null")),
        "projector": parameters.to_json(),
        "seed": parameters.seed,
        "grid": {kind: list(layout.shape) for kind, layout in layouts.items()},
        "quality": first.quality,
        "timings": timings,
        "rejected": [dict(r) for r in context.rejected],
        "duplicates": [dict(d) for d in context.duplicates],
        "fingerprint": context.fingerprint,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
