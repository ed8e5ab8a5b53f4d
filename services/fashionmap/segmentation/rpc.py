"""gRPC of segmentation: masks of stored and of uploaded photos."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial

import grpc

from fashionmap.adapters.codec import masks_to_message
from fashionmap.adapters.rpc_errors import translated
from fashionmap.domain import keys
from fashionmap.domain.documents import masks_from_bytes
from fashionmap.domain.photo import MOST_BYTES, Photo
from fashionmap.errors import BlobNotFound, PhotoRejected
from fashionmap.pipelining import Pipeline
from fashionmap.ports import BlobStore, Decoder, Segmenter
from fashionmap.segmentation.handler import masks_of
from fashionmap.v1 import segmentation_service_pb2 as pb
from fashionmap.v1 import segmentation_service_pb2_grpc


class SegmentationServicer(segmentation_service_pb2_grpc.SegmentationServiceServicer):
    """Answers with masks by the ``segmenter`` of the moment, in the consumer's ``pipeline``."""

    def __init__(
        self,
        *,
        blobs: BlobStore,
        decoder: Decoder,
        segmenter: Callable[[], Segmenter],
        pipeline: Pipeline,
    ) -> None:
        self._blobs, self._decoder, self._segmenter = blobs, decoder, segmenter
        self._pipeline = pipeline

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
            segment = partial(masks_of, photo, segmenter=self._segmenter())
            document = self._pipeline.work(segment, self._decoder.pixels(data))
            return pb.SegmentPhotoResponse(masks=masks_to_message(document))

    def _stored(self, collection: str, photo_id: str) -> bytes:
        """Masks of the model that works now, or else the newest by another version."""
        key = keys.masks(collection, photo_id, self._segmenter().stamp)
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
