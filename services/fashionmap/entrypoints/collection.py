"""A collection from outside: publishing photos, counting stages, failures, replays."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from fashionmap.adapters.codec import decode
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes
from fashionmap.domain.events import Event, PhotoOffered
from fashionmap.domain.photo import MetadataValue
from fashionmap.entrypoints.photos_on_disk import PhotoFile
from fashionmap.errors import BlobNotFound, CollectionNotFound
from fashionmap.ports import BlobStore

CHUNK = 64
WRITERS = 8


@dataclass(frozen=True)
class Census:
    """Photo ids by what is done with them.

    Attributes:
        offered: Bytes are in the store.
        ingested: Recorded as readable.
        segmented: Masks are there.
        embedded: Vectors are there.
        failed: Refused by a stage.
        newest_map: Version of the newest map, ``""`` where there is none.
    """

    offered: set[str] = field(default_factory=set)
    ingested: set[str] = field(default_factory=set)
    segmented: set[str] = field(default_factory=set)
    embedded: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    newest_map: str = ""


def publish_files(
    files: Sequence[PhotoFile],
    collection: str,
    *,
    blobs: BlobStore,
    bus: RabbitPublisher,
    metadata: Mapping[str, Mapping[str, MetadataValue]],
    advance: Callable[[int], None],
) -> tuple[set[str], list[tuple[str, str]]]:
    """Puts photos on the ingest queue: bytes first to the store, then the messages.

    Returns:
        Ids of what was published, and files that could not be read with the reasons.
    """
    keys.check_collection(collection)
    published: set[str] = set()
    unread: list[tuple[str, str]] = []

    def upload(file: PhotoFile) -> PhotoOffered | None:
        try:
            data = file.path.read_bytes()
        except OSError as error:
            unread.append((file.name, f"The file cannot be read: {error.strerror}."))
            return None
        photo_id = hashlib.sha256(data).hexdigest()
        key = keys.original(collection, photo_id)
        blobs.put(key, data)
        published.add(photo_id)
        extra = metadata.get(file.name) or metadata.get(file.path.name) or {}
        return PhotoOffered(collection, file.name, key=key, metadata=extra)

    source = iter(files)
    with ThreadPoolExecutor(WRITERS) as writers:
        while chunk := list(islice(source, CHUNK)):
            offers = [offer for offer in writers.map(upload, chunk) if offer is not None]
            bus.publish(offers)
            advance(len(chunk))
    return published, unread


def count_stages(blobs: BlobStore, collection: str) -> Census:
    """What lies in the store for a collection; ``CollectionNotFound`` where nothing does."""
    census = Census(newest_map=_newest(blobs, collection))
    found = False
    for key in blobs.keys(keys.collection(collection) + "photos/"):
        found = True
        photo_id, _, rest = key.split("/photos/")[1].partition("/")
        stage = rest.split("/")[0]
        place = {
            "original": census.offered,
            "photo.json": census.ingested,
            "masks": census.segmented,
            "embeddings": census.embedded,
        }.get(stage)
        if place is not None:
            place.add(photo_id)
    for record in failures_of(blobs, collection):
        found = True
        census.failed.add(record["photo_id"])
    if not found:
        raise CollectionNotFound(f"Nothing was ever offered to a collection {collection!r}.")
    return census


def failures_of(blobs: BlobStore, collection: str) -> Iterator[dict[str, Any]]:
    """Records of refused photos, by stage and id."""
    for key in blobs.keys(keys.failures(collection)):
        yield from_bytes(blobs.get(key))


def replay(blobs: BlobStore, bus: RabbitPublisher, collection: str, *, stage: str = "") -> int:
    """Sends refused messages again and forgets the refusals; returns how many."""
    records = [r for r in failures_of(blobs, collection) if not stage or r["stage"] == stage]
    events: list[Event] = [decode(r["type"], base64.b64decode(r["body"])) for r in records]
    for record in records:
        blobs.delete(keys.failure(collection, record["stage"], record["photo_id"]))
    bus.publish(events)
    return len(events)


def follow(
    blobs: BlobStore,
    collection: str,
    published: set[str],
    *,
    show: Callable[[Census], None],
    pause: float = 1.0,
) -> Census:
    """Waits until every published photo is embedded or refused."""
    while True:
        census = count_stages(blobs, collection)
        show(census)
        if published <= census.embedded | census.failed:
            return census
        time.sleep(pause)


def wait_for_map(blobs: BlobStore, collection: str, version: str, *, pause: float = 0.5) -> None:
    """Waits until a map is there."""
    key = keys.map_version(collection, version) + "map.json"
    while not blobs.exists(key):
        time.sleep(pause)


def _newest(blobs: BlobStore, collection: str) -> str:
    try:
        return str(from_bytes(blobs.get(keys.newest_map(collection)))["version"])
    except BlobNotFound:
        return ""
