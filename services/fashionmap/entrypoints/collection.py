"""A collection from outside: publishing photos, counting stages, failures, replays."""

import base64
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from fashionmap.adapters.blobs_minio import MinioBlobStore
from fashionmap.adapters.codec import decode, encode, routing_key
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher, letter_of
from fashionmap.adapters.topology import EVENTS, RETRY
from fashionmap.adapters.tracing import published
from fashionmap.adapters.wire_rabbitmq import Letter
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes
from fashionmap.domain.events import MapRequested, PhotoOffered
from fashionmap.domain.photo import MOST_BYTES, MetadataValue
from fashionmap.entrypoints.photos_on_disk import PhotoFile
from fashionmap.entrypoints.refusal import failure_key
from fashionmap.errors import BlobNotFound, CollectionNotFound, StageFailed
from fashionmap.ports import BlobStore

CHUNK = 64
WRITERS = READERS = 8
DIGITS = "0123456789abcdef"
PLACES = {
    "original": "offered",
    "photo.json": "ingested",
    "masks": "segmented",
    "embeddings": "embedded",
}
"""Stages of a census by what lies in a photo's folder."""
T = TypeVar("T")


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
    refused = _refused(blobs, collection)
    ids: set[str] = set()
    unread: list[tuple[str, str]] = []

    def upload(file: PhotoFile) -> Letter | None:
        try:
            data = _read(file)
        except ValueError as error:
            unread.append((file.name, str(error)))
            return None
        photo_id = hashlib.sha256(data).hexdigest()
        key = keys.original(collection, photo_id)
        with published(collection, photo_id) as headers:
            blobs.put(key, data)
            for record in refused.get(photo_id, ()):
                blobs.delete(record)  # a new offer is a new beginning
        ids.add(photo_id)
        extra = metadata.get(file.name) or metadata.get(file.path.name) or {}
        return letter_of(
            PhotoOffered(collection, file.name, key=key, metadata=extra), headers=headers
        )

    source = iter(files)
    with ThreadPoolExecutor(WRITERS) as writers:
        while chunk := list(islice(source, CHUNK)):
            bus.send([letter for letter in writers.map(upload, chunk) if letter is not None])
            advance(len(chunk))
    return ids, unread


def _read(file: PhotoFile) -> bytes:
    """The file's bytes; ``ValueError`` with the sentence why there are none."""
    try:
        if file.path.stat().st_size > MOST_BYTES:
            raise ValueError(f"The file has more than the allowed {MOST_BYTES >> 20} MB.")
        return file.path.read_bytes()
    except OSError as error:
        raise ValueError(f"The file cannot be read: {error.strerror}.") from error


def _refused(blobs: BlobStore, collection: str) -> dict[str, list[str]]:
    """Keys of failure records by photo id."""
    found: dict[str, list[str]] = {}
    for key in blobs.keys(keys.failures(collection)):
        found.setdefault(key.rpartition("/")[2].removesuffix(".json"), []).append(key)
    return found


def count_stages(blobs: BlobStore, collection: str) -> Census:
    """Who is where in a collection; ``CollectionNotFound`` where nothing lies in the store."""
    census = Census(newest_map=newest_of(blobs, collection))
    for share in _shares(blobs, collection, lambda share: share):
        for stage, ids in share.items():
            getattr(census, stage).update(ids)
    census.failed.update(_refused(blobs, collection))
    _check_there(collection, census.offered or census.ingested or census.failed)
    return census


def count_photos(blobs: BlobStore, collection: str) -> dict[str, int]:
    """How many photos passed each stage (the names of ``Census``); holds a share of them at a time.

    Raises:
        CollectionNotFound: Nothing lies in the store.
    """
    counts = Counter[str]()
    for share in _shares(blobs, collection, _lengths):
        counts.update(share)
    counts["failed"] = len(_refused(blobs, collection))
    _check_there(collection, counts["offered"] or counts["ingested"] or counts["failed"])
    return {stage: counts[stage] for stage in (*PLACES.values(), "failed")}


def _shares(
    blobs: BlobStore, collection: str, made: Callable[[dict[str, set[str]]], T]
) -> Iterator[T]:
    """What is made of ids by stage, share by share: ids are hashes, so shares are even."""
    prefix = keys.collection(collection) + "photos/"
    with ThreadPoolExecutor(READERS) as readers:
        yield from readers.map(lambda digit: made(_share(blobs, prefix, digit)), DIGITS)


def _share(blobs: BlobStore, prefix: str, digit: str) -> dict[str, set[str]]:
    """Ids that begin with the digit, by the stage that they passed."""
    share: dict[str, set[str]] = {stage: set() for stage in PLACES.values()}
    for key in blobs.keys(prefix + digit):
        photo_id, _, rest = key.removeprefix(prefix).partition("/")
        if stage := PLACES.get(rest.partition("/")[0]):
            share[stage].add(photo_id)
    return share


def _lengths(share: Mapping[str, set[str]]) -> dict[str, int]:
    return {stage: len(ids) for stage, ids in share.items()}


def _check_there(collection: str, anything: object) -> None:
    if not anything:
        raise CollectionNotFound(f"Nothing was ever offered to a collection {collection!r}.")


def check_exists(blobs: MinioBlobStore, collection: str) -> None:
    """``CollectionNotFound`` where nothing was ever offered; one call, however large it is."""
    folders = set(blobs.folders(keys.collection(collection)))
    _check_there(collection, folders & {"photos", "failures"})


def failures_of(blobs: BlobStore, collection: str) -> Iterator[dict[str, Any]]:
    """Records of refused photos, by stage and id."""
    for key in blobs.keys(keys.failures(collection)):
        try:
            yield from_bytes(blobs.get(key))
        except BlobNotFound:
            continue  # mended meanwhile


def replay(blobs: BlobStore, bus: RabbitPublisher, collection: str, *, stage: str = "") -> int:
    """Sends refused messages again; returns how many.

    A record stays until its message comes through: that removes it, another refusal replaces it.
    """
    records = [r for r in failures_of(blobs, collection) if not stage or r["stage"] == stage]
    bus.send([_again(record) for record in records])
    return len(records)


def _again(record: Mapping[str, Any]) -> Letter:
    """The refused message byte for byte: what names no photo is known by the hash of its bytes."""
    body, type_ = base64.b64decode(record["body"]), str(record["type"])
    return Letter(EVENTS, routing_key(decode(type_, body)), body, type_, {RETRY: "1"})


def follow(
    blobs: BlobStore,
    collection: str,
    published: set[str],
    *,
    show: Callable[[Census], None],
    pause: float = 1.0,
) -> Census:
    """Waits until every published photo is embedded or refused.

    A count of a large collection takes seconds: at most a fifth of the time goes into counting.
    """
    while True:
        began = time.monotonic()
        census = count_stages(blobs, collection)
        show(census)
        if published <= census.embedded | census.failed:
            return census
        time.sleep(max(pause, 4 * (time.monotonic() - began)))


def wait_for_map(blobs: BlobStore, request: MapRequested, *, pause: float = 0.5) -> None:
    """Waits until a requested map is there; ``StageFailed`` where it was refused."""
    key = keys.map_version(request.collection, request.version) + "map.json"
    refusal = failure_key("projection", request, encode(request))
    while not blobs.exists(key):
        if blobs.exists(refusal):
            reason = from_bytes(blobs.get(refusal))["reason"]
            raise StageFailed(f"The map was not built: {reason}")
        time.sleep(pause)


def newest_of(blobs: BlobStore, collection: str) -> str:
    """Version of the collection's newest map, ``""`` where there is none."""
    try:
        return str(from_bytes(blobs.get(keys.newest_map(collection)))["version"])
    except BlobNotFound:
        return ""
