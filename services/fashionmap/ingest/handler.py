"""Ingest: an offered photo is checked and recorded."""

import hashlib
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, photo_to_json, to_bytes
from fashionmap.domain.events import PhotoIngested, PhotoOffered
from fashionmap.domain.photo import MOST_BYTES, Photo, check_description
from fashionmap.errors import MessageRejected, PermanentError
from fashionmap.ports import BlobStore, Decoder

STAGE = "ingest"
THREADS = 4
"""Offers of a batch that are handled at once: they wait for the store most of the time."""
SMALL = 1 << 20
"""Bytes of a photo that is held until its batch is written; a larger one is written at once."""

Put = Callable[[str, bytes], None]


class _AtWork:
    """Records that a thread is at work on: two names of one photo are written in turn."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._changed = threading.Condition()

    def begin(self, key: str, *, wait: bool) -> bool:
        """Whether the caller may write the record; False where another is at it, without wait."""
        with self._changed:
            if key in self._keys and not wait:
                return False
            self._changed.wait_for(lambda: key not in self._keys)
            self._keys.add(key)
            return True

    def end(self, keys: Collection[str]) -> None:
        """The records are written, or nobody will."""
        with self._changed:
            self._keys.difference_update(keys)
            self._changed.notify_all()


_AT_WORK = _AtWork()


@dataclass(frozen=True)
class _Offer:
    """An offer with its bytes."""

    event: PhotoOffered
    data: bytes
    photo_id: str

    @property
    def record(self) -> str:
        """Key of the photo's record."""
        return keys.photo_record(self.event.collection, self.photo_id)

    def ingested(self, photo: Photo | None) -> PhotoIngested:
        """What is told of it."""
        return PhotoIngested(self.event.collection, self.photo_id, photo)


def ingest_photos(
    events: Sequence[PhotoOffered], *, blobs: BlobStore, decoder: Decoder
) -> list[PhotoIngested | PermanentError]:
    """``ingest_photo`` for a batch, several at once: a refused photo costs nobody else's work.

    What is new is written together: the photos, then, as they are the commit, the records.
    """
    originals: dict[str, bytes] = {}
    records: dict[str, bytes] = {}
    begun: list[str] = []

    def put(key: str, data: bytes) -> None:
        if len(data) > SMALL:
            blobs.put(key, data)
        else:
            originals[key] = data

    def one(event: PhotoOffered) -> PhotoIngested | PermanentError | None:
        """None where another is at work on the same photo."""
        try:
            offer = _fetch(event, blobs)
            if not _AT_WORK.begin(offer.record, wait=False):
                return None
            begun.append(offer.record)
            photo = _check(offer, blobs=blobs, decoder=decoder, put=put)
        except PermanentError as error:
            return error
        if photo is not None:
            records[offer.record] = to_bytes(record_of(photo))
        return offer.ingested(photo)

    def alone(event: PhotoOffered) -> PhotoIngested | PermanentError:
        try:
            return ingest_photo(event, blobs=blobs, decoder=decoder)
        except PermanentError as error:
            return error

    try:
        with ThreadPoolExecutor(THREADS) as threads:
            done = list(threads.map(one, events))
        blobs.put_all(originals)
        blobs.put_all(records)
    finally:
        _AT_WORK.end(begun)
    return [
        alone(event) if result is None else result
        for event, result in zip(events, done, strict=True)
    ]


def ingest_photo(event: PhotoOffered, *, blobs: BlobStore, decoder: Decoder) -> PhotoIngested:
    """Stores an offered photo under its hash, with its record written last.

    Equal bytes are one photo: a second offer adds its file name and metadata to the record.

    Raises:
        PhotoRejected: The bytes are no photo that is read.
        BlobNotFound: The offer's key points nowhere.
        MessageRejected: The offer holds neither bytes nor a key, or its metadata are too much.
        UsageError: The offer's key lies in another collection.
    """
    offer = _fetch(event, blobs)
    _AT_WORK.begin(offer.record, wait=True)
    try:
        photo = _check(offer, blobs=blobs, decoder=decoder, put=blobs.put)
        if photo is not None:
            blobs.put(offer.record, to_bytes(record_of(photo)))
    finally:
        _AT_WORK.end([offer.record])
    return offer.ingested(photo)


def record_of(photo: Photo) -> dict[str, object]:
    """The record of a photo that was seen under one name."""
    return {**photo_to_json(photo), "file_names": [photo.file_name]}


def _fetch(event: PhotoOffered, blobs: BlobStore) -> _Offer:
    check_description(event.file_name, event.metadata)
    if not (event.data or event.key):
        raise MessageRejected(f"The offer of {event.file_name!r} holds neither bytes nor a key.")
    data = event.data or blobs.get(keys.check_offered(event.collection, event.key), most=MOST_BYTES)
    return _Offer(event, data, hashlib.sha256(data).hexdigest())


def _check(offer: _Offer, *, blobs: BlobStore, decoder: Decoder, put: Put) -> Photo | None:
    """Puts a new photo and returns it, for its record; of one that is there, adds the name."""
    event = offer.event
    if blobs.exists(offer.record):
        _add_name(event, blobs, offer.record)
        return None
    height, width = decoder.size(offer.data)
    original = keys.original(event.collection, offer.photo_id)
    if original != event.key:
        put(original, offer.data)
    return Photo(offer.photo_id, event.file_name, width, height, dict(event.metadata))


def _add_name(event: PhotoOffered, blobs: BlobStore, record_key: str) -> None:
    record = from_bytes(blobs.get(record_key))
    names = sorted({*record["file_names"], event.file_name})
    metadata = {**dict(event.metadata), **record["metadata"]}
    merged = {**record, "file_names": names, "file_name": names[0], "metadata": metadata}
    if merged != record:
        blobs.put(record_key, to_bytes(merged))
