"""gRPC of embedding: vectors of stored and of uploaded photos."""

from collections.abc import Callable, Iterator

import grpc
import numpy as np

from fashionmap.adapters.codec import masks_from_message, stamp_to_message
from fashionmap.adapters.rpc_errors import translated
from fashionmap.adapters.units_table import units_from_bytes
from fashionmap.domain import keys
from fashionmap.domain.events import PhotoEmbedded, PhotoSegmented
from fashionmap.domain.garment import MasksDocument
from fashionmap.domain.photo import MOST_BYTES, ModelStamp
from fashionmap.embedding.cutout import cut_out
from fashionmap.errors import BlobNotFound, MessageRejected, PermanentError, PhotoRejected
from fashionmap.pipelining import Pipeline
from fashionmap.ports import BlobStore, Decoder, Embedder
from fashionmap.v1 import embedding_service_pb2 as pb
from fashionmap.v1 import embedding_service_pb2_grpc

Embed = Callable[[PhotoSegmented], PhotoEmbedded | PermanentError]


class EmbeddingServicer(embedding_service_pb2_grpc.EmbeddingServiceServicer):
    """Answers with vectors by the ``embedder`` of the moment, in the consumer's ``pipeline``."""

    def __init__(
        self,
        *,
        blobs: BlobStore,
        decoder: Decoder,
        embedder: Callable[[], Embedder],
        embed: Embed,
        pipeline: Pipeline,
    ) -> None:
        self._blobs, self._decoder, self._embedder = blobs, decoder, embedder
        self._embed, self._pipeline = embed, pipeline

    def EmbedPhoto(  # noqa: N802
        self, request: pb.EmbedPhotoRequest, context: grpc.ServicerContext
    ) -> pb.EmbedPhotoResponse:
        """The vectors of a segmented photo, computed where they are not there yet."""
        with translated(context):
            segmenter = self._segmenter_of(request.collection, request.photo_id)
            done = self._embed(PhotoSegmented(request.collection, request.photo_id, segmenter))
            if isinstance(done, PermanentError):
                raise done
            key = keys.embeddings(done.collection, done.photo_id, done.segmenter, done.embedder)
            rows = units_from_bytes(self._blobs.get(key)).select(["id", "category", "vector"])
            return pb.EmbedPhotoResponse(
                embedder=stamp_to_message(done.embedder),
                vectors=[
                    pb.UnitVector(id=r["id"], category=r["category"], values=r["vector"])
                    for r in rows.to_pylist()
                ],
            )

    def EmbedUpload(  # noqa: N802
        self, request_iterator: Iterator[pb.EmbedUploadRequest], context: grpc.ServicerContext
    ) -> pb.EmbedUploadResponse:
        """Vectors of an uploaded photo's units; nothing is stored."""
        with translated(context):
            document, data = _read(request_iterator)
            if self._decoder.size(data) != (document.photo.height, document.photo.width):
                raise MessageRejected("The masks are of another size than the photo.")
            pixels = self._decoder.pixels(data)
            cutouts = [cut_out(pixels, g.detection) for g in document.garments]
            embedder = self._embedder()
            vectors = self._pipeline.work(embedder.embed, cutouts)
            return pb.EmbedUploadResponse(
                embedder=stamp_to_message(embedder.stamp),
                vectors=[
                    pb.UnitVector(id=g.id, category=g.detection.category, values=np.asarray(v))
                    for g, v in zip(document.garments, vectors, strict=True)
                ],
            )

    def _segmenter_of(self, collection: str, photo_id: str) -> ModelStamp:
        """The model of the photo's newest masks document."""
        from fashionmap.domain.documents import masks_from_bytes

        prefix = keys.photo(collection, photo_id) + "masks/"
        found = list(self._blobs.keys(prefix))
        if not found:
            raise BlobNotFound(f"Photo {photo_id[:16]} of {collection!r} is not segmented.")
        return masks_from_bytes(self._blobs.get(found[-1])).segmenter


def _read(parts: Iterator[pb.EmbedUploadRequest]) -> tuple[MasksDocument, bytes]:
    first = next(parts, None)
    if first is None or first.WhichOneof("part") != "masks":
        raise MessageRejected("An upload to embed begins with its masks.")
    data = bytearray()
    for part in parts:
        data += part.chunk
        if len(data) > MOST_BYTES:
            raise PhotoRejected(f"The photo has more than the allowed {MOST_BYTES >> 20} MB.")
    return masks_from_message(first.masks), bytes(data)
