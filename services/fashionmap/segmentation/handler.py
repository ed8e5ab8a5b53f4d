"""Segmentation: ingested photos get their masks documents."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fashionmap.domain import keys
from fashionmap.domain.documents import (
    from_bytes,
    masks_to_bytes,
    photo_from_json,
)
from fashionmap.domain.events import PhotoIngested, PhotoSegmented
from fashionmap.domain.garment import MasksDocument
from fashionmap.domain.photo import Photo
from fashionmap.errors import PermanentError
from fashionmap.fetching import Fetched
from fashionmap.pipelining import Pipeline
from fashionmap.ports import BlobStore, Decoder, Segmenter
from fashionmap.segmentation.units import units_of

STAGE = "segmentation"


def segment_photos(
    events: Sequence[PhotoIngested],
    *,
    blobs: BlobStore,
    decoder: Decoder,
    segmenter: Segmenter,
    pipeline: Pipeline,
) -> list[PhotoSegmented | PermanentError]:
    """Writes each photo's masks document, unless it is there already.

    A refused photo (unreadable, or not in the store) costs nobody else's work and comes back as
    its error. Photos are decoded beside the model's work on others, and fetched and documents
    written beside its work on other batches of the ``pipeline``.
    """
    made: dict[str, bytes] = {}

    def key(event: PhotoIngested) -> str:
        return keys.masks(event.collection, event.photo_id, segmenter.stamp)

    def original(event: PhotoIngested) -> str:
        return keys.original(event.collection, event.photo_id)

    def read(event: PhotoIngested) -> tuple[Photo, NDArray[np.uint8]] | None:
        if key(event) in there:
            return None
        photo = event.photo or read_photo(event.collection, event.photo_id, blobs)
        return photo, decoder.pixels(originals.take(original(event)))

    def work(item: tuple[Photo, NDArray[np.uint8]]) -> bytes:
        return masks_to_bytes(masks_of(*item, segmenter=segmenter))

    def write(event: PhotoIngested, document: bytes) -> None:
        made[key(event)] = document

    there = {key(e) for e in events if e.photo is None and blobs.exists(key(e))}
    originals = Fetched(blobs, (original(e) for e in events if key(e) not in there))
    errors = pipeline.run(events, read=read, work=work, write=write)
    blobs.put_all(made)
    return [
        error or PhotoSegmented(e.collection, e.photo_id, segmenter.stamp, key(e) in made)
        for e, error in zip(events, errors, strict=True)
    ]


def masks_of(photo: Photo, pixels: NDArray[np.uint8], *, segmenter: Segmenter) -> MasksDocument:
    """The masks document of a photo; pixels may be reduced, masks are of its full size."""
    found = segmenter.segment([pixels], sizes=[(photo.height, photo.width)])[0]
    return MasksDocument(photo, segmenter.stamp, units_of(photo.id, found))


def read_photo(collection: str, photo_id: str, blobs: BlobStore) -> Photo:
    """The photo's record."""
    return photo_from_json(from_bytes(blobs.get(keys.photo_record(collection, photo_id))))
