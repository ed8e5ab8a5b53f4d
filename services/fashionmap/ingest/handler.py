"""Ingest: an offered photo is checked and recorded."""

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, photo_to_json, to_bytes
from fashionmap.domain.events import PhotoIngested, PhotoOffered
from fashionmap.domain.photo import MOST_BYTES, Photo, check_description
from fashionmap.errors import MessageRejected, PermanentError
from fashionmap.ports import BlobStore, Decoder

STAGE = "ingest"
THREADS = 4
"""Offers of a batch that are handled at once: they wait for the store most of the time."""
_RECORDS = tuple(threading.Lock() for _ in range(64))
"""By the photo's id: of two threads with one photo, the second adds its name to the first's."""


def ingest_photos(
    events: Sequence[PhotoOffered], *, blobs: BlobStore, decoder: Decoder
) -> list[PhotoIngested | PermanentError]:
    """``ingest_photo`` for a batch, several at once: a refused photo costs nobody else's work."""

    def one(event: PhotoOffered) -> PhotoIngested | PermanentError:
        try:
            return ingest_photo(event, blobs=blobs, decoder=decoder)
        except PermanentError as error:
            return error

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(one, events))


def ingest_photo(event: PhotoOffered, *, blobs: BlobStore, decoder: Decoder) -> PhotoIngested:
    """Stores an offered photo under its hash, with its record written last.

    Equal bytes are one photo: a second offer adds its file name and metadata to the record.

    Raises:
        PhotoRejected: The bytes are no photo that is read.
        BlobNotFound: The offer's key points nowhere.
        MessageRejected: The offer holds neither bytes nor a key, or its metadata are too much.
        UsageError: The offer's key lies in another collection.
    """
    check_description(event.file_name, event.metadata)
    data = event.data or _fetch(event, blobs)
    photo_id = hashlib.sha256(data).hexdigest()
    with _RECORDS[int(photo_id[:8], 16) % len(_RECORDS)]:
        photo = _record(event, photo_id, data, blobs=blobs, decoder=decoder)
    return PhotoIngested(collection=event.collection, photo_id=photo_id, photo=photo)


def _record(
    event: PhotoOffered, photo_id: str, data: bytes, *, blobs: BlobStore, decoder: Decoder
) -> Photo | None:
    """Writes the photo and, last, its record; of a photo that is there, its further name.

    Returns the photo where it is new.
    """
    record_key = keys.photo_record(event.collection, photo_id)
    if blobs.exists(record_key):
        _add_name(event, blobs, record_key)
        return None
    height, width = decoder.size(data)
    photo = Photo(photo_id, event.file_name, width, height, dict(event.metadata))
    original = keys.original(event.collection, photo_id)
    if original != event.key:
        blobs.put(original, data)
    blobs.put(record_key, to_bytes(record_of(photo)))
    return photo


def record_of(photo: Photo) -> dict[str, object]:
    """The record of a photo that was seen under one name."""
    return {**photo_to_json(photo), "file_names": [photo.file_name]}


def _fetch(event: PhotoOffered, blobs: BlobStore) -> bytes:
    if not event.key:
        raise MessageRejected(f"The offer of {event.file_name!r} holds neither bytes nor a key.")
    return blobs.get(keys.check_offered(event.collection, event.key), most=MOST_BYTES)


def _add_name(event: PhotoOffered, blobs: BlobStore, record_key: str) -> None:
    record = from_bytes(blobs.get(record_key))
    names = sorted({*record["file_names"], event.file_name})
    metadata = {**dict(event.metadata), **record["metadata"]}
    merged = {**record, "file_names": names, "file_name": names[0], "metadata": metadata}
    if merged != record:
        blobs.put(record_key, to_bytes(merged))
