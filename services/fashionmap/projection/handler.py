"""Projection: maps on request, and new photos placed on the newest map."""

import hashlib
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fashionmap.adapters.units_table import units_from_bytes
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, to_bytes
from fashionmap.domain.events import MapRequested, MapUpdated, PhotoEmbedded
from fashionmap.errors import BlobNotFound, CollectionNotFound, PermanentError, UsageError
from fashionmap.ports import BlobStore
from fashionmap.projection.build import MapContext, build_map
from fashionmap.projection.projector import ProjectorParameters, place
from fashionmap.projection.reading import DocumentReader

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
    """Builds the map of a collection, unless it is there, and makes it the newest.

    Photos that were embedded meanwhile were placed on the map before it: they are placed here too.

    Raises:
        UsageError: The request makes no sense.
    """
    check_request(event.unit, event.perplexity)
    prefix = keys.map_version(event.collection, event.version)
    documents: list[str] = []
    if not blobs.exists(prefix + "map.json"):
        documents = embedding_keys(blobs, event.collection)
        reader = DocumentReader(blobs, event.collection, documents)
        refused = [from_bytes(blobs.get(k)) for k in blobs.keys(keys.failures(event.collection))]
        context = MapContext(
            rejected=[{"file_name": f["file_name"], "reason": f["reason"]} for f in refused],
            fingerprint=event.version,
            described=reader.described,
        )
        build_map(
            reader.documents(),
            store=blobs,
            prefix=prefix,
            unit=event.unit,
            parameters=ProjectorParameters(perplexity=event.perplexity, seed=event.seed),
            context=context,
            progress=progress,
        )
    blobs.put(keys.newest_map(event.collection), to_bytes({"version": event.version}))
    _place_late_comers(event, blobs, known=frozenset(documents))
    return MapUpdated(event.collection, event.version)


def check_request(unit: str, perplexity: float) -> None:
    """``UsageError`` where a map cannot be asked for like that."""
    if unit not in ("garment", "look", "both"):
        raise UsageError(f"A map is of garment, look or both, not {unit!r}.")
    if not 0 <= perplexity < math.inf:
        raise UsageError(f"A perplexity is 0 or more, not {perplexity}.")


def _place_late_comers(event: MapRequested, blobs: BlobStore, *, known: frozenset[str]) -> None:
    """Places photos whose embeddings came after the build had listed those that it knows."""
    there = MapCache(blobs).open(event.collection, event.version)
    for key in embedding_keys(blobs, event.collection):
        photo_id = key.split("/photos/")[1].split("/")[0]
        place_key = keys.placed(event.collection, event.version, photo_id)
        late = key not in known and photo_id[:16] not in there.photos
        if late and not blobs.exists(place_key):
            _place_document(event.collection, photo_id, blobs.get(key), there, blobs)


def embedding_keys(store: BlobStore, collection: str) -> list[str]:
    """Embedding documents of the pair of models that most photos have, in ascending order."""
    every = list(store.keys(keys.collection(collection) + "photos/"))
    if not every:
        raise CollectionNotFound(f"Nothing was ever offered to a collection {collection!r}.")
    found = [key for key in every if "/embeddings/" in key and key.endswith(".arrow")]
    pairs = Counter(key.split("/embeddings/")[1] for key in found)
    if not pairs:
        return []
    best = max(sorted(pairs), key=lambda pair: pairs[pair])
    return [key for key in found if key.endswith(best)]


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

    @cached_property
    def ids(self) -> frozenset[str]:
        """Ids of all units."""
        return frozenset(self.rows["id"].to_pylist())

    @cached_property
    def photos(self) -> frozenset[str]:
        """The first 16 digits of the ids of all photos that units lie on."""
        return frozenset(unit.partition("-")[0] for unit in self.ids)

    @cached_property
    def kinds(self) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Vectors (n, d) and coordinates (n, 2) of the garments and of the looks."""
        units = np.array(self.rows["unit"].to_pylist())
        places = self.coordinates()
        return {str(k): (self.vectors[units == k], places[units == k]) for k in np.unique(units)}


@dataclass
class MapCache:
    """The maps used last, read from the store once."""

    blobs: BlobStore
    keep: int = 4
    _maps: dict[tuple[str, str], OpenMap] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

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
        with self._lock:
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
    there = maps.open(event.collection, version)
    if event.photo_id[:16] in there.photos:
        return None
    models = (event.segmenter, event.embedder)
    document = blobs.get(keys.embeddings(event.collection, event.photo_id, *models))
    placed = _place_document(event.collection, event.photo_id, document, there, blobs)
    return done if placed else None


def _place_document(
    collection: str, photo_id: str, document: bytes, there: OpenMap, blobs: BlobStore
) -> bool:
    """Places the units of an embedding document; whether there was one to place."""
    units = units_from_bytes(document).select(["id", "unit", "category", "vector"]).to_pylist()
    fresh = [u for u in units if u["id"] not in there.ids and u["unit"] in there.kinds]
    if fresh:
        blobs.put(
            keys.placed(collection, there.version, photo_id), to_bytes(list(_placed(fresh, there)))
        )
    return bool(fresh)


def _placed(units: Sequence[dict[str, Any]], there: OpenMap) -> Iterator[dict[str, Any]]:
    vectors = np.array([u["vector"] for u in units], dtype=np.float32)
    for unit, vector in zip(units, vectors, strict=True):
        x, y = place(vector[None], *there.kinds[unit["unit"]])[0]
        yield {"id": unit["id"], "category": unit["category"], "x": float(x), "y": float(y)}
