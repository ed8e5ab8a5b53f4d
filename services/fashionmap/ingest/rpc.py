"""gRPC of ingest: putting photos."""

from collections.abc import Callable, Iterator

import grpc

from fashionmap.adapters.codec import offer_from_message
from fashionmap.adapters.rpc_errors import translated
from fashionmap.domain import keys
from fashionmap.domain.events import PhotoIngested, PhotoOffered
from fashionmap.domain.photo import MOST_BYTES
from fashionmap.errors import MessageRejected, PhotoRejected
from fashionmap.ports import Publisher
from fashionmap.v1 import ingest_service_pb2, ingest_service_pb2_grpc


class IngestServicer(ingest_service_pb2_grpc.IngestServiceServicer):
    """Ingests streamed photos and sends them on."""

    def __init__(
        self, ingest: Callable[[PhotoOffered], PhotoIngested], publisher: Publisher
    ) -> None:
        self._ingest, self._publisher = ingest, publisher

    def PutPhoto(  # noqa: N802
        self,
        request_iterator: Iterator[ingest_service_pb2.PutPhotoRequest],
        context: grpc.ServicerContext,
    ) -> ingest_service_pb2.PutPhotoResponse:
        """One photo: an offer, then its bytes."""
        with translated(context):
            event = self._ingest(_offer(request_iterator))
            self._publisher.publish([event])
            return ingest_service_pb2.PutPhotoResponse(photo_id=event.photo_id)


def _offer(parts: Iterator[ingest_service_pb2.PutPhotoRequest]) -> PhotoOffered:
    first = next(parts, None)
    if first is None or first.WhichOneof("part") != "offer":
        raise MessageRejected("A put photo begins with its offer.")
    head = offer_from_message(first.offer)
    keys.check_collection(head.collection)
    data = bytearray()
    for part in parts:
        data += part.chunk
        if len(data) > MOST_BYTES:
            raise PhotoRejected(f"The photo has more than the allowed {MOST_BYTES >> 20} MB.")
    return PhotoOffered(head.collection, head.file_name, data=bytes(data), metadata=head.metadata)
