"""gRPC of projection: maps, their points in pages, neighbours."""

import grpc
import numpy as np

from fashionmap.adapters.rpc_errors import translated
from fashionmap.domain import keys
from fashionmap.errors import BlobNotFound, UsageError
from fashionmap.ports import BlobStore, Publisher
from fashionmap.projection.handler import MapCache, OpenMap, check_request, request_of
from fashionmap.projection.neighbours import search
from fashionmap.projection.projector import check_vectors, place
from fashionmap.v1 import projection_service_pb2 as pb
from fashionmap.v1 import projection_service_pb2_grpc

PAGE, LARGEST_PAGE = 1000, 10_000


class ProjectionServicer(projection_service_pb2_grpc.ProjectionServiceServicer):
    """Answers about maps."""

    def __init__(self, *, blobs: BlobStore, publisher: Publisher, maps: MapCache) -> None:
        self._blobs, self._publisher, self._maps = blobs, publisher, maps

    def RequestMap(  # noqa: N802
        self, request: pb.RequestMapRequest, context: grpc.ServicerContext
    ) -> pb.RequestMapResponse:
        """Puts a request on the queue."""
        with translated(context):
            unit = request.unit or "garment"
            check_request(unit, request.perplexity)
            event = request_of(
                self._blobs,
                request.collection,
                unit=unit,
                perplexity=request.perplexity,
                seed=request.seed,
            )
            self._publisher.publish([event])
            return pb.RequestMapResponse(version=event.version)

    def GetMap(  # noqa: N802
        self, request: pb.GetMapRequest, context: grpc.ServicerContext
    ) -> pb.GetMapResponse:
        """``map.json`` of a map."""
        with translated(context):
            version = request.version or self._maps.newest(request.collection)
            prefix = keys.map_version(request.collection, version)
            try:
                summary = self._blobs.get(prefix + "map.json").decode()
            except BlobNotFound as error:
                raise BlobNotFound(
                    f"Collection {request.collection!r} has no map {version!r}."
                ) from error
            return pb.GetMapResponse(version=version, summary_json=summary)

    def ListPoints(  # noqa: N802
        self, request: pb.ListPointsRequest, context: grpc.ServicerContext
    ) -> pb.ListPointsResponse:
        """A page of points, in the order of ``garments.parquet``."""
        with translated(context):
            there = self._maps.open(request.collection, request.version)
            first = _token(request.page_token)
            size = min(max(request.page_size, 0) or PAGE, LARGEST_PAGE)
            rows = there.rows.slice(first, size).to_pylist()
            more = first + size < there.rows.num_rows
            wanted = ("id", "category", "x", "y", "cluster")
            return pb.ListPointsResponse(
                points=[pb.Point(**{k: row[k] for k in wanted}) for row in rows],
                next_page_token=str(first + size) if more else "",
            )

    def FindNeighbours(  # noqa: N802
        self, request: pb.FindNeighboursRequest, context: grpc.ServicerContext
    ) -> pb.FindNeighboursResponse:
        """Nearest units of a unit or of a vector."""
        with translated(context):
            there = self._maps.open(request.collection, request.version)
            return _near(there, request)


def _near(there: OpenMap, request: pb.FindNeighboursRequest) -> pb.FindNeighboursResponse:
    vector, own = _query(there, request)
    count = min(max(request.count, 0) or 10, LARGEST_PAGE, there.rows.num_rows)
    if count == 0:
        raise BlobNotFound("There is nothing on this map.")
    indices, distances = search(vector, there.vectors, count + (own >= 0))
    x, y = place(vector, there.vectors, there.coordinates())[0]
    if own >= 0:
        x, y = there.coordinates()[own]
    pairs = [(i, d) for i, d in zip(indices[0], distances[0], strict=True) if i != own][:count]
    columns = {c: there.rows[c] for c in ("id", "category", "file_name")}
    return pb.FindNeighboursResponse(
        neighbours=[
            pb.Neighbour(**{c: v[int(i)].as_py() for c, v in columns.items()}, distance=float(d))
            for i, d in pairs
        ],
        x=float(x),
        y=float(y),
    )


def _query(
    there: OpenMap, request: pb.FindNeighboursRequest
) -> tuple["np.ndarray[tuple[int, int], np.dtype[np.float32]]", int]:
    """The vector to look near, and the row that it is of (-1 for none)."""
    if request.garment_id:
        ids = there.rows["id"].to_pylist()
        if request.garment_id not in ids:
            raise BlobNotFound(f"There is no garment {request.garment_id!r} on this map.")
        own = ids.index(request.garment_id)
        return there.vectors[[own]], own
    vector = check_vectors(np.array([request.vector], dtype=np.float32))
    if vector.shape[1] != there.vectors.shape[1]:
        raise UsageError(
            f"This map's vectors have {there.vectors.shape[1]} values, not {vector.shape[1]}."
        )
    return vector, -1


def _token(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 12):
        raise UsageError(f"{text!r} is no page token.")
    return int(text or 0)
