"""Ingest: an offered photo is checked and recorded."""

import hashlib
from dataclasses import replace

from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, photo_to_json, to_bytes
from fashionmap.domain.events import PhotoIngested, PhotoOffered
from fashionmap.domain.photo import MOST_BYTES, Photo, check_description
from fashionmap.errors import MessageRejected
from fashionmap.ports import BlobStore, Decoder

STAGE = "ingest"


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
    record_key = keys.photo_record(event.collection, photo_id)
    if blobs.exists(record_key):
        _add_name(event, blobs, record_key)
        return PhotoIngested(collection=event.collection, photo_id=photo_id)
    height, width = decoder.size(data)
    photo = Photo(photo_id, event.file_name, width, height, dict(event.metadata))
    original = keys.original(event.collection, photo_id)
    if original != event.key:
        blobs.put(original, data)
    blobs.put(record_key, to_bytes(record_of(photo)))
    return PhotoIngested(collection=event.collection, photo_id=photo_id)


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


def renamed(photo: Photo, file_name: str) -> Photo:
    """The same photo under another name."""
    return replace(photo, file_name=file_name)
