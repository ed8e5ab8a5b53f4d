"""gRPC of segmentation: masks of stored and of uploaded photos."""

import hashlib
import threading
from collections.abc import Iterator

import grpc

from fashionmap.adapters.codec import masks_to_message
from fashionmap.adapters.rpc_errors import translated
from fashionmap.domain import keys
from fashionmap.domain.documents import masks_from_bytes
from fashionmap.domain.photo import MOST_BYTES, Photo
from fashionmap.errors import BlobNotFound, PhotoRejected
from fashionmap.ports import BlobStore, Decoder, Segmenter
from fashionmap.segmentation.handler import masks_of
from fashionmap.v1 import segmentation_service_pb2 as pb
from fashionmap.v1 import segmentation_service_pb2_grpc


class SegmentationServicer(segmentation_service_pb2_grpc.SegmentationServiceServicer):
    """Answers with masks. ``lock`` is shared with the consumer: one model, one user at a time."""

    def __init__(
        self, *, blobs: BlobStore, decoder: Decoder, segmenter: Segmenter, lock: threading.Lock
    ) -> None:
        self._blobs, self._decoder, self._segmenter, self._lock = blobs, decoder, segmenter, lock

    def GetMasks(  # noqa: N802
        self, request: pb.GetMasksRequest, context: grpc.ServicerContext
    ) -> pb.GetMasksResponse:
        """The stored masks of a photo."""
        with translated(context):
            document = masks_from_bytes(self._stored(request.collection, request.photo_id))
            return pb.GetMasksResponse(masks=masks_to_message(document))

    def SegmentPhoto(  # noqa: N802
        self, request_iterator: Iterator[pb.SegmentPhotoRequest], context: grpc.ServicerContext
    ) -> pb.SegmentPhotoResponse:
        """Masks of an uploaded photo; nothing is stored."""
        with translated(context):
            data = _read(request_iterator)
            height, width = self._decoder.size(data)
            photo = Photo(hashlib.sha256(data).hexdigest(), "", width, height)
            pixels = self._decoder.pixels(data)
            with self._lock:
                document = masks_of(photo, pixels, segmenter=self._segmenter)
            return pb.SegmentPhotoResponse(masks=masks_to_message(document))

    def _stored(self, collection: str, photo_id: str) -> bytes:
        """Masks of the model that works now, or else the newest by another version."""
        key = keys.masks(collection, photo_id, self._segmenter.stamp)
        try:
            return self._blobs.get(key)
        except BlobNotFound as error:
            others = list(self._blobs.keys(keys.photo(collection, photo_id) + "masks/"))
            if not others:
                sentence = f"Photo {photo_id[:16]} of {collection!r} is not segmented."
                raise BlobNotFound(sentence) from error
            return self._blobs.get(others[-1])


def _read(parts: Iterator[pb.SegmentPhotoRequest]) -> bytes:
    data = bytearray()
    for part in parts:
        data += part.chunk
        if len(data) > MOST_BYTES:
            raise PhotoRejected(f"The photo has more than the allowed {MOST_BYTES >> 20} MB.")
    return bytes(data)
