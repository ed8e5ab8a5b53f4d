"""Projection: maps on request, and new photos placed on the newest map."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence

from fashionmap.adapters.units_table import units_from_bytes
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, to_bytes
from fashionmap.domain.events import MapRequested, MapUpdated, PhotoEmbedded
from fashionmap.errors import BlobNotFound, CollectionNotFound, PermanentError, UsageError
from fashionmap.ports import BlobStore
from fashionmap.projection.build import MapContext, build_map
from fashionmap.projection.open_map import MapCache, OpenMap, placed_on
from fashionmap.projection.projector import ProjectorParameters
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
    return named_request(collection, documents, unit=unit, perplexity=perplexity, seed=seed)


def named_request(
    collection: str, documents: Sequence[str], *, unit: str, perplexity: float, seed: int
) -> MapRequested:
    """A request named by its parameters and the embedding documents that are there."""
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
        theirs = key.endswith(f"/{there.embedder}.arrow")
        late = theirs and key not in known and photo_id[:16] not in there.photos
        if late and not blobs.exists(place_key):
            _place_document(place_key, blobs.get(key), there, blobs)


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
    if there.embedder != event.embedder.key or event.photo_id[:16] in there.photos:
        return None  # vectors of another model have no place here: the next map shows them
    models = (event.segmenter, event.embedder)
    document = blobs.get(keys.embeddings(event.collection, event.photo_id, *models))
    return done if _place_document(key, document, there, blobs) else None


def _place_document(key: str, document: bytes, there: OpenMap, blobs: BlobStore) -> bool:
    """Places the units of an embedding document; whether there was one to place."""
    units = units_from_bytes(document).select(["id", "unit", "category", "vector"]).to_pylist()
    fresh = placed_on(there, units)
    if fresh:
        blobs.put(key, to_bytes(fresh))
    return bool(fresh)
