"""Projection: maps on request, and new photos placed on the newest map."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fashionmap.adapters.units_table import units_from_bytes
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, to_bytes
from fashionmap.domain.events import MapRequested, MapUpdated, PhotoEmbedded
from fashionmap.errors import BlobNotFound, CollectionNotFound, PermanentError
from fashionmap.ports import BlobStore
from fashionmap.projection.build import MapContext, build_map
from fashionmap.projection.projector import ProjectorParameters, place

STAGE = "projection"


def request_of(
    store: BlobStore, collection: str, *, unit: str, perplexity: float, seed: int
) -> MapRequested:
    """A request whose version names its parameters and the photos that are embedded by now.

    Raises:
        CollectionNotFound: Nothing lies in the collection.
    """
    documents = embedding_keys(store, collection)
    text = "\n".join([unit, repr(perplexity), str(seed), *documents])
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    return MapRequested(collection, version, unit, perplexity, seed)


def build_requested_map(
    event: MapRequested, *, blobs: BlobStore, progress: Callable[[str], None] = lambda _: None
) -> MapUpdated:
    """Builds the map of a collection, unless it is there, and makes it the newest."""
    prefix = keys.map_version(event.collection, event.version)
    if not blobs.exists(prefix + "map.json"):
        documents = embedding_keys(blobs, event.collection)
        refused = [from_bytes(blobs.get(k)) for k in blobs.keys(keys.failures(event.collection))]
        context = MapContext(
            rejected=[{"file_name": f["file_name"], "reason": f["reason"]} for f in refused],
            fingerprint=event.version,
        )
        build_map(
            (blobs.get(key) for key in documents),
            store=blobs,
            prefix=prefix,
            unit=event.unit,
            parameters=ProjectorParameters(perplexity=event.perplexity, seed=event.seed),
            context=context,
            progress=progress,
        )
    blobs.put(keys.newest_map(event.collection), to_bytes({"version": event.version}))
    return MapUpdated(event.collection, event.version)


def embedding_keys(store: BlobStore, collection: str) -> list[str]:
    """Embedding documents of the embedder that most photos have, one a photo, in ascending order.

    Where several segmenters worked on a photo, as after a change of versions, the document of the
    one counts that worked on most photos.
    """
    every = list(store.keys(keys.collection(collection) + "photos/"))
    if not every:
        raise CollectionNotFound(f"Nothing was ever offered to a collection {collection!r}.")
    found = [key for key in every if "/embeddings/" in key and key.endswith(".arrow")]
    pairs = Counter(key.split("/embeddings/")[1] for key in found)
    embedders = Counter(pair.split("/")[1] for pair in pairs.elements())
    if not pairs:
        return []
    best = max(sorted(embedders), key=lambda embedder: embedders[embedder])
    chosen: dict[str, str] = {}
    for key in sorted(found, key=lambda k: (pairs[k.split("/embeddings/")[1]], k)):
        if key.endswith("/" + best):
            chosen[key.split("/embeddings/")[0]] = key
    return sorted(chosen.values())


@dataclass(frozen=True)
class OpenMap:
    """A map in memory: ids, vectors, places.

    Attributes:
        version: Its name.
        rows: The columns ``id``, ``unit``, ``category``, ``file_name``, ``x``, ``y``, ``cluster``.
        vectors: float32 (n, d).
    """

    version: str
    rows: pa.Table
    vectors: NDArray[np.float32]

    def coordinates(self) -> NDArray[np.float32]:
        """float32 (n, 2)."""
        columns = [self.rows[c].to_numpy() for c in ("x", "y")]
        result: NDArray[np.float32] = np.stack(columns, axis=1).astype(np.float32)
        return result


@dataclass
class MapCache:
    """The maps used last, read from the store once."""

    blobs: BlobStore
    keep: int = 4
    _maps: dict[tuple[str, str], OpenMap] = field(default_factory=dict)

    def newest(self, collection: str) -> str:
        """Version of the newest map; ``BlobNotFound`` where there is none."""
        try:
            record = from_bytes(self.blobs.get(keys.newest_map(collection)))
        except BlobNotFound as error:
            raise BlobNotFound(f"Collection {collection!r} has no map yet.") from error
        return str(record["version"])

    def open(self, collection: str, version: str = "") -> OpenMap:
        """A map, the newest by default."""
        name = (collection, version or self.newest(collection))
        if name not in self._maps:
            while len(self._maps) >= self.keep:
                self._maps.pop(next(iter(self._maps)))
            self._maps[name] = self._read(*name)
        return self._maps[name]

    def _read(self, collection: str, version: str) -> OpenMap:
        prefix = keys.map_version(collection, version)
        wanted = ["id", "unit", "category", "file_name", "x", "y", "cluster"]
        data = self.blobs.get(prefix + "garments.parquet")
        rows = pq.read_table(pa.BufferReader(data), columns=wanted)
        vectors = pq.read_table(pa.BufferReader(self.blobs.get(prefix + "vectors.parquet")))
        flat = vectors["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        matrix = flat.reshape(rows.num_rows, -1) if rows.num_rows else np.zeros((0, 1), np.float32)
        return OpenMap(version, rows, matrix.astype(np.float32))


def place_photos(
    events: Sequence[PhotoEmbedded], *, blobs: BlobStore, maps: MapCache
) -> list[MapUpdated | PermanentError | None]:
    """Places new photos' units on the newest map of their collection, if there is one."""
    return [_place_or_error(event, blobs, maps) for event in events]


def _place_or_error(
    event: PhotoEmbedded, blobs: BlobStore, maps: MapCache
) -> MapUpdated | PermanentError | None:
    try:
        version = maps.newest(event.collection)
    except BlobNotFound:
        return None
    try:
        return _place(event, version, blobs, maps)
    except PermanentError as error:
        return error


def _place(
    event: PhotoEmbedded, version: str, blobs: BlobStore, maps: MapCache
) -> MapUpdated | None:
    key = keys.placed(event.collection, version, event.photo_id)
    done = MapUpdated(event.collection, version, event.photo_id)
    if blobs.exists(key):
        return done
    models = (event.segmenter, event.embedder)
    document = blobs.get(keys.embeddings(event.collection, event.photo_id, *models))
    units = units_from_bytes(document).select(["id", "unit", "category", "vector"]).to_pylist()
    there = maps.open(event.collection, version)
    known = set(there.rows["id"].to_pylist())
    fresh = [
        u
        for u in units
        if u["id"] not in known and u["unit"] in set(there.rows["unit"].to_pylist())
    ]
    if not fresh:
        return None
    blobs.put(key, to_bytes(list(_placed(fresh, there))))
    return done


def _placed(units: Sequence[dict[str, Any]], there: OpenMap) -> Iterator[dict[str, Any]]:
    vectors = np.array([u["vector"] for u in units], dtype=np.float32)
    kinds = np.array(there.rows["unit"].to_pylist())
    for unit, vector in zip(units, vectors, strict=True):
        same = kinds == unit["unit"]
        x, y = place(vector[None], there.vectors[same], there.coordinates()[same])[0]
        yield {"id": unit["id"], "category": unit["category"], "x": float(x), "y": float(y)}
