"""The other services by gRPC, as the explorer's ``Peers``."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import structlog

from fashionmap.adapters.codec import masks_from_message, masks_to_message
from fashionmap.domain.garment import MasksDocument
from fashionmap.errors import BlobNotFound, PhotoRejected, ServiceUnavailable, UsageError
from fashionmap.v1 import (
    embedding_service_pb2,
    embedding_service_pb2_grpc,
    events_pb2,
    ingest_service_pb2,
    ingest_service_pb2_grpc,
    projection_service_pb2,
    projection_service_pb2_grpc,
    segmentation_service_pb2,
    segmentation_service_pb2_grpc,
)

log = structlog.get_logger()
CHUNK = 64 * 1024
PATIENCE = 120.0
"""Seconds of a call: a photo may wait behind a batch on a slow machine."""


def channel_credentials(
    *, ca: Path | None, cert: Path | None, key: Path | None
) -> grpc.ChannelCredentials | None:
    """What services with TLS are spoken to with; None without a CA.

    Raises:
        UsageError: A file cannot be read or is none, or only one of certificate and key is given.
    """
    if (cert is None) != (key is None) or (cert is not None and ca is None):
        raise UsageError("FASHIONMAP_GRPC_CERT needs FASHIONMAP_GRPC_KEY and FASHIONMAP_GRPC_CA.")
    try:
        pair = [None if path is None else path.read_bytes() for path in (key, cert)]
        if ca is None:
            return None
        context = ssl.create_default_context(cafile=ca)  # gRPC would say it at the first call alone
        if cert is not None:
            context.load_cert_chain(cert, key)
        return grpc.ssl_channel_credentials(ca.read_bytes(), *pair)
    except ssl.SSLError as error:
        raise UsageError(f"The certificates of gRPC make no sense: {error.reason}.") from error
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error


class GrpcPeers:
    """The four services at ``host:port`` addresses; connected when first asked."""

    def __init__(
        self,
        *,
        ingest: str,
        segmentation: str,
        embedding: str,
        projection: str,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        addresses = (ingest, segmentation, embedding, projection)
        self._channels = [
            grpc.insecure_channel(address)
            if credentials is None
            else grpc.secure_channel(address, credentials)
            for address in addresses
        ]
        # the generated stubs have no types
        makers: list[Any] = [
            ingest_service_pb2_grpc.IngestServiceStub,
            segmentation_service_pb2_grpc.SegmentationServiceStub,
            embedding_service_pb2_grpc.EmbeddingServiceStub,
            projection_service_pb2_grpc.ProjectionServiceStub,
        ]
        stubs = [make(channel) for make, channel in zip(makers, self._channels, strict=True)]
        self._ingest, self._segmentation, self._embedding, self._projection = stubs

    def put_photo(self, collection: str, file_name: str, data: bytes) -> str:
        """Puts a photo into a collection for good; its id."""
        pb = ingest_service_pb2
        offer = events_pb2.PhotoOffered(collection=collection, file_name=file_name)

        def parts() -> Iterator[Any]:
            yield pb.PutPhotoRequest(offer=offer)
            yield from (pb.PutPhotoRequest(chunk=chunk) for chunk in _chunks(data))

        with _translated("ingest"):
            photo_id: str = self._ingest.PutPhoto(parts(), timeout=PATIENCE).photo_id
            return photo_id

    def segment(self, data: bytes) -> MasksDocument:
        """Masks of a photo that is not kept."""
        pb = segmentation_service_pb2
        parts = (pb.SegmentPhotoRequest(chunk=chunk) for chunk in _chunks(data))
        with _translated("segmentation"):
            return masks_from_message(
                self._segmentation.SegmentPhoto(parts, timeout=PATIENCE).masks
            )

    def embed(self, masks: MasksDocument, data: bytes) -> dict[str, list[float]]:
        """Vectors of a photo that is not kept, by unit."""
        pb = embedding_service_pb2

        def parts() -> Iterator[Any]:
            yield pb.EmbedUploadRequest(masks=masks_to_message(masks))
            yield from (pb.EmbedUploadRequest(chunk=chunk) for chunk in _chunks(data))

        with _translated("embedding"):
            found = self._embedding.EmbedUpload(parts(), timeout=PATIENCE).vectors
            return {vector.id: list(vector.values) for vector in found}

    def neighbours(
        self, collection: str, version: str, vector: Sequence[float], *, count: int
    ) -> tuple[list[str], float, float]:
        """Ids of the nearest garments of a map, and the vector's place on it (x, y)."""
        request = projection_service_pb2.FindNeighboursRequest(
            collection=collection, version=version, vector=vector, count=count
        )
        with _translated("projection"):
            near = self._projection.FindNeighbours(request, timeout=PATIENCE)
            return [n.id for n in near.neighbours], near.x, near.y

    def request_map(self, collection: str, unit: str) -> str:
        """Asks for a new map; its version."""
        request = projection_service_pb2.RequestMapRequest(collection=collection, unit=unit)
        with _translated("projection"):
            version: str = self._projection.RequestMap(request, timeout=PATIENCE).version
            return version

    def close(self) -> None:
        """Closes the connections."""
        for channel in self._channels:
            channel.close()


def _chunks(data: bytes) -> Iterator[bytes]:
    return (data[i : i + CHUNK] for i in range(0, len(data), CHUNK))


@contextmanager
def _translated(service: str) -> Iterator[None]:
    """Status codes as our errors, with the service's own sentence where it has one."""
    try:
        yield
    except grpc.RpcError as error:
        code, detail = error.code(), error.details() or ""
        if code == grpc.StatusCode.NOT_FOUND:
            raise BlobNotFound(detail) from error
        if code == grpc.StatusCode.INVALID_ARGUMENT:
            raise PhotoRejected(detail) from error
        log.warning("peer away", peer=service, code=code.name, detail=detail)
        if "CERTIFICATE_VERIFY_FAILED" in detail:
            raise ServiceUnavailable(
                f"The {service} service shows a certificate that FASHIONMAP_GRPC_CA does not know."
            ) from error
        raise ServiceUnavailable(f"The {service} service does not answer ({code.name}).") from error
