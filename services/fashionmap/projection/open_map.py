"""Maps in memory, for placing photos and finding neighbours."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes
from fashionmap.errors import BlobNotFound
from fashionmap.ports import BlobStore
from fashionmap.projection.neighbours import search
from fashionmap.projection.projector import place

COLUMNS = ("id", "unit", "category", "file_name", "x", "y", "cluster", "embedder")


@dataclass(frozen=True)
class Kind:
    """The units of one kind on a map: garments are near garments, looks near looks.

    Attributes:
        rows: int64 (n,), their rows in the map's tables.
        vectors: float32 (n, d).
        coordinates: float32 (n, 2).
    """

    rows: NDArray[np.int64]
    vectors: NDArray[np.float32]
    coordinates: NDArray[np.float32]

    def place(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates float32 (m, 2) of new vectors float32 (m, d) among these units."""
        return place(vectors, self.vectors, self.coordinates)

    def nearest(
        self, vector: NDArray[np.float32], count: int, *, leaving_out: int = -1
    ) -> list[tuple[int, float]]:
        """Rows and distances of the nearest units of a vector float32 (d,), a row left out."""
        indices, distances = search(vector[None], self.vectors, count + (leaving_out >= 0))
        pairs = zip(self.rows[indices[0]].tolist(), distances[0].tolist(), strict=True)
        return [(row, distance) for row, distance in pairs if row != leaving_out][:count]


@dataclass(frozen=True)
class OpenMap:
    """A map in memory.

    Attributes:
        version: Its name.
        rows: The columns of ``COLUMNS``, n rows.
        vectors: float32 (n, d).
    """

    version: str
    rows: pa.Table
    vectors: NDArray[np.float32]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each unit, by its id."""
        return {name: row for row, name in enumerate(self.rows["id"].to_pylist())}

    @cached_property
    def photos(self) -> frozenset[str]:
        """The first 16 digits of the ids of all photos that units lie on."""
        return frozenset(name.partition("-")[0] for name in self.row_of)

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """``garment`` and ``look``, as far as the map has them."""
        names = np.array(self.rows["unit"].to_pylist(), dtype=object)
        columns = [self.rows[c].to_numpy() for c in ("x", "y")]
        coordinates = np.stack(columns, axis=1).astype(np.float32)
        every = {name: np.flatnonzero(names == name) for name in sorted(set(names))}
        return {n: Kind(r, self.vectors[r], coordinates[r]) for n, r in every.items()}

    @cached_property
    def embedder(self) -> str:
        """Key of the model that made the vectors, ``""`` on an empty map."""
        return str(self.cell("embedder", 0)) if self.rows.num_rows else ""

    def cell(self, column: str, row: int) -> object:
        """One value of ``rows``."""
        return self.rows[column][row].as_py()


class MapCache:
    """The maps used last, each read from the store once. For many threads."""

    def __init__(self, blobs: BlobStore, *, keep: int = 4) -> None:
        self._blobs, self._keep = blobs, keep
        self._maps: OrderedDict[tuple[str, str], OpenMap] = OrderedDict()
        self._lock = threading.Lock()

    def newest(self, collection: str) -> str:
        """Version of the newest map; ``BlobNotFound`` where there is none."""
        try:
            record = from_bytes(self._blobs.get(keys.newest_map(collection)))
        except BlobNotFound as error:
            raise BlobNotFound(f"Collection {collection!r} has no map yet.") from error
        return str(record["version"])

    def open(self, collection: str, version: str = "") -> OpenMap:
        """A map, the newest by default; ``BlobNotFound`` where there is none."""
        name = (collection, version or self.newest(collection))
        with self._lock:
            if name not in self._maps:
                self._maps[name] = self._read(*name)
            self._maps.move_to_end(name)
            while len(self._maps) > self._keep:
                self._maps.popitem(last=False)
            return self._maps[name]

    def _read(self, collection: str, version: str) -> OpenMap:
        prefix = keys.map_version(collection, version)
        try:
            data = self._blobs.get(prefix + "garments.parquet")
            vectors = self._blobs.get(prefix + "vectors.parquet")
        except BlobNotFound as error:
            sentence = f"Collection {collection!r} has no map {version!r}."
            raise BlobNotFound(sentence) from error
        rows = pq.read_table(pa.BufferReader(data), columns=list(COLUMNS))
        return OpenMap(version, rows, _matrix(vectors, rows.num_rows))


def _matrix(data: bytes, count: int) -> NDArray[np.float32]:
    """Vectors float32 (n, d) of a ``vectors.parquet``."""
    if count == 0:
        return np.zeros((0, 1), np.float32)
    column = pq.read_table(pa.BufferReader(data), columns=["vector"])["vector"]
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    matrix: NDArray[np.float32] = flat.reshape(count, -1).astype(np.float32)
    return matrix


def placed_on(there: OpenMap, units: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Places of new units: ``id``, ``unit``, ``category``, ``x``, ``y``.

    Args:
        there: A map.
        units: ``id``, ``unit``, ``category`` and ``vector``; those that are on the map already, or
            of a kind that it does not show, are left out.
    """
    found: list[dict[str, object]] = []
    for name, kind in there.kinds.items():
        fresh = [u for u in units if u["unit"] == name and u["id"] not in there.row_of]
        if not fresh:
            continue
        places = kind.place(np.array([u["vector"] for u in fresh], dtype=np.float32))
        found += [
            {**{k: unit[k] for k in ("id", "unit", "category")}, "x": float(x), "y": float(y)}
            for unit, (x, y) in zip(fresh, places, strict=True)
        ]
    return found
