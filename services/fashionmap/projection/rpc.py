"""gRPC of projection: maps, their points in pages, neighbours."""

import grpc
import numpy as np

from fashionmap.adapters.rpc_errors import translated
from fashionmap.domain import keys
from fashionmap.errors import BlobNotFound, UsageError
from fashionmap.ports import BlobStore, Publisher
from fashionmap.projection.handler import check_request, request_of
from fashionmap.projection.open_map import MapCache, OpenMap
from fashionmap.projection.projector import check_vectors
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
                sentence = f"Collection {request.collection!r} has no map {version!r}."
                raise BlobNotFound(sentence) from error
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
    count = min(max(request.count, 0) or 10, LARGEST_PAGE)
    if request.garment_id:
        return _near_unit(there, request.garment_id, count)
    vector = check_vectors(np.array([request.vector], dtype=np.float32))[0]
    return _near_vector(there, vector, count)


def _near_unit(there: OpenMap, name: str, count: int) -> pb.FindNeighboursResponse:
    """Neighbours of a unit of the map, of its own kind."""
    row = there.row_of.get(name)
    if row is None:
        raise BlobNotFound(f"There is no garment {name!r} on this map.")
    kind = there.kinds[str(there.cell("unit", row))]
    nearest = kind.nearest(there.vectors[row], count, leaving_out=row)
    x, y = (there.rows[axis][row].as_py() for axis in ("x", "y"))
    return _response(there, nearest, x, y)


def _near_vector(
    there: OpenMap, vector: "np.ndarray[tuple[int], np.dtype[np.float32]]", count: int
) -> pb.FindNeighboursResponse:
    """Neighbours of a garment from elsewhere; of a look on maps that have only looks."""
    if not there.kinds:
        raise BlobNotFound("Nothing lies on this map.")
    kind = there.kinds.get("garment") or there.kinds["look"]
    if len(vector) != kind.vectors.shape[1]:
        raise UsageError(
            f"This map's vectors have {kind.vectors.shape[1]} values, not {len(vector)}."
        )
    x, y = kind.place(vector[None])[0].tolist()
    return _response(there, kind.nearest(vector, count), x, y)


def _response(
    there: OpenMap, nearest: list[tuple[int, float]], x: float, y: float
) -> pb.FindNeighboursResponse:
    names = ("id", "category", "file_name")
    return pb.FindNeighboursResponse(
        neighbours=[
            pb.Neighbour(**{n: str(there.cell(n, row)) for n in names}, distance=distance)
            for row, distance in nearest
        ],
        x=x,
        y=y,
    )


def _token(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 12):
        raise UsageError(f"{text!r} is no page token.")
    return int(text or 0)
