"""Segmentation: ingested photos get their masks documents."""

from collections.abc import Sequence

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
from fashionmap.ports import BlobStore, Decoder, Segmenter
from fashionmap.segmentation.units import units_of

STAGE = "segmentation"


def segment_photo(
    event: PhotoIngested, *, blobs: BlobStore, decoder: Decoder, segmenter: Segmenter
) -> PhotoSegmented:
    """Writes the photo's masks document, unless it is there already.

    Raises:
        PhotoRejected: The photo cannot be read.
        BlobNotFound: The photo is not in the store.
    """
    done = PhotoSegmented(event.collection, event.photo_id, segmenter.stamp)
    key = keys.masks(event.collection, event.photo_id, segmenter.stamp)
    if not blobs.exists(key):
        photo = read_photo(event, blobs)
        data = blobs.get(keys.original(event.collection, event.photo_id))
        document = masks_of(photo, data, decoder=decoder, segmenter=segmenter)
        blobs.put(key, masks_to_bytes(document))
    return done


def segment_photos(
    events: Sequence[PhotoIngested], *, blobs: BlobStore, decoder: Decoder, segmenter: Segmenter
) -> list[PhotoSegmented | PermanentError]:
    """``segment_photo`` for a batch: a refused photo costs nobody else's work."""
    results: list[PhotoSegmented | PermanentError] = []
    for event in events:
        try:
            results.append(segment_photo(event, blobs=blobs, decoder=decoder, segmenter=segmenter))
        except PermanentError as error:
            results.append(error)
    return results


def masks_of(photo: Photo, data: bytes, *, decoder: Decoder, segmenter: Segmenter) -> MasksDocument:
    """The masks document of a photo's bytes; masks are of the photo's full size."""
    pixels = decoder.pixels(data)
    found = segmenter.segment([pixels], sizes=[(photo.height, photo.width)])[0]
    return MasksDocument(photo, segmenter.stamp, units_of(photo.id, found))


def read_photo(event: PhotoIngested, blobs: BlobStore) -> Photo:
    """The photo's record."""
    return photo_from_json(
        from_bytes(blobs.get(keys.photo_record(event.collection, event.photo_id)))
    )
