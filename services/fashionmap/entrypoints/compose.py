"""Which adapter and which model go where: the one place that knows all."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fashionmap.adapters.blobs_minio import MinioBlobStore
from fashionmap.adapters.broker import Broker
from fashionmap.adapters.codec import encode
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.topology import GROWTH, QUEUES
from fashionmap.domain.events import (
    CollectionGrew,
    Event,
    MapRequested,
    PhotoEmbedded,
    PhotoIngested,
    PhotoOffered,
    PhotoSegmented,
)
from fashionmap.entrypoints.refusal import failure_key
from fashionmap.entrypoints.stage import Stage
from fashionmap.errors import PermanentError, UsageError
from fashionmap.pipelining import Pipeline
from fashionmap.settings import Settings

SERVICES = ("ingest", "segmentation", "embedding", "projection")
BESIDE_EACH_OTHER = 2
"""Batches in hand of stages that read and write photo by photo."""


@dataclass
class Service:
    """One service: its stages, and what it adds to a gRPC server.

    Attributes:
        name: Its name.
        stages: One a queue.
        rpc_name: Full name of its gRPC service.
        servicer: Its gRPC servicer.
        add_to: Registers the servicer with a server.
        models: What it computes with; each has a ``stamp``.
    """

    name: str
    stages: list[Stage]
    rpc_name: str
    servicer: Any
    add_to: Any
    models: Sequence[Any] = ()


def object_store(
    settings: Settings, *, patience: float | None = None, read_seconds: float = 60.0
) -> MinioBlobStore:
    """The object store of the settings, tried for ``patience`` seconds instead of theirs."""
    return MinioBlobStore(
        settings.s3_endpoint,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        bucket=settings.s3_bucket,
        secure=settings.s3_secure,
        region=settings.s3_region,
        patience=settings.store_patience if patience is None else patience,
        ca=settings.s3_ca,
        read_seconds=read_seconds,
    )


def broker(settings: Settings) -> Broker:
    """The broker of the settings."""
    return Broker(
        settings.amqp_url,
        settings.delivery_limit,
        ca=settings.amqp_ca,
        cert=settings.amqp_cert,
        key=settings.amqp_key,
    )


def publisher(settings: Settings, *, patience: float = 60.0) -> RabbitPublisher:
    """A publisher to the broker of the settings."""
    return RabbitPublisher(broker(settings), patience=patience)


def service(
    name: str, settings: Settings, *, blobs: MinioBlobStore, bus: RabbitPublisher
) -> Service:
    """A service by name, with its models loaded."""
    makers = {
        "ingest": _ingest,
        "segmentation": _segmentation,
        "embedding": _embedding,
        "projection": _projection,
    }
    if name not in makers:
        raise UsageError(f"There is no service {name!r}: name one of {', '.join(SERVICES)}.")
    return makers[name](settings, blobs, bus)


def _ingest(settings: Settings, store: MinioBlobStore, bus: RabbitPublisher) -> Service:
    from fashionmap.adapters.blobs_addressed import AddressedBlobStore
    from fashionmap.adapters.photo_fetcher import PhotoFetcher
    from fashionmap.adapters.photo_guard import GuardedDecoder
    from fashionmap.ingest.handler import STAGE, ingest_photo, ingest_photos
    from fashionmap.ingest.rpc import IngestServicer
    from fashionmap.v1 import ingest_service_pb2_grpc as rpc

    hosts = filter(None, (host.strip().lower() for host in settings.ingest_hosts.split(",")))
    blobs = AddressedBlobStore(store, PhotoFetcher(hosts))
    decoder = GuardedDecoder(seconds=settings.decode_seconds, megabytes=settings.decode_memory)

    def one(event: PhotoOffered) -> PhotoIngested:
        return ingest_photo(event, blobs=blobs, decoder=decoder)

    def many(events: Sequence[PhotoOffered]) -> Sequence[Event | PermanentError | None]:
        return ingest_photos(events, blobs=blobs, decoder=decoder)

    stage = Stage(STAGE, QUEUES["ingest.photos"], (PhotoOffered,), many, in_hand=BESIDE_EACH_OTHER)
    servicer = IngestServicer(one, bus)
    add = rpc.add_IngestServiceServicer_to_server
    return Service(STAGE, [stage], "fashionmap.v1.IngestService", servicer, add)


def _segmentation(settings: Settings, blobs: MinioBlobStore, _bus: RabbitPublisher) -> Service:
    from fashionmap.adapters.photo_decoder import PhotoDecoder
    from fashionmap.adapters.threads import use_threads
    from fashionmap.entrypoints.models import current, open_segmenter, refresh
    from fashionmap.segmentation.handler import STAGE, segment_photos
    from fashionmap.segmentation.rpc import SegmentationServicer
    from fashionmap.v1 import segmentation_service_pb2_grpc as rpc

    use_threads(settings.threads, photos=True)
    decoder = PhotoDecoder()
    model = open_segmenter(
        settings.segmenter,
        device=settings.device,
        threshold=settings.threshold,
        settings=settings,
        blobs=blobs,
    )
    pipeline = Pipeline(model.at_once)

    def many(events: Sequence[PhotoIngested]) -> Sequence[Event | PermanentError | None]:
        return segment_photos(
            events,
            blobs=blobs,
            decoder=decoder,
            segmenter=refresh(model),
            pipeline=pipeline,
        )

    stage = Stage(
        STAGE, QUEUES["segmentation.photos"], (PhotoIngested,), many, in_hand=BESIDE_EACH_OTHER
    )
    servicer = SegmentationServicer(
        blobs=blobs, decoder=decoder, segmenter=lambda: current(model), pipeline=pipeline
    )
    add = rpc.add_SegmentationServiceServicer_to_server
    return Service(STAGE, [stage], "fashionmap.v1.SegmentationService", servicer, add, [model])


def _embedding(settings: Settings, blobs: MinioBlobStore, _bus: RabbitPublisher) -> Service:
    from fashionmap.adapters.photo_decoder import PhotoDecoder
    from fashionmap.adapters.threads import use_threads
    from fashionmap.adapters.units_table import ArrowUnitsWriter
    from fashionmap.embedding.handler import STAGE, embed_photos
    from fashionmap.embedding.rpc import EmbeddingServicer
    from fashionmap.entrypoints.models import current, open_embedder, refresh
    from fashionmap.v1 import embedding_service_pb2_grpc as rpc

    use_threads(settings.threads, photos=True)
    model = open_embedder(settings.embedder, device=settings.device, settings=settings, blobs=blobs)

    parts: Any = {
        "blobs": blobs,
        "decoder": PhotoDecoder(),
        "writer": ArrowUnitsWriter(),
        "pipeline": Pipeline(model.at_once),
    }

    def many(events: Sequence[PhotoSegmented]) -> Sequence[Event | PermanentError | None]:
        return embed_photos(events, embedder=refresh(model), **parts)

    def one(event: PhotoSegmented) -> PhotoEmbedded | PermanentError:
        return embed_photos([event], embedder=current(model), **parts)[0]

    stage = Stage(
        STAGE, QUEUES["embedding.photos"], (PhotoSegmented,), many, in_hand=BESIDE_EACH_OTHER
    )
    servicer = EmbeddingServicer(
        blobs=blobs,
        decoder=parts["decoder"],
        embedder=lambda: current(model),
        embed=one,
        pipeline=parts["pipeline"],
    )
    add = rpc.add_EmbeddingServiceServicer_to_server
    return Service(STAGE, [stage], "fashionmap.v1.EmbeddingService", servicer, add, [model])


def _projection(settings: Settings, blobs: MinioBlobStore, bus: RabbitPublisher) -> Service:
    from fashionmap.projection.growth import GrowthRules, GrowthWatch
    from fashionmap.projection.handler import STAGE, build_requested_map, place_photos
    from fashionmap.projection.open_map import MapCache
    from fashionmap.projection.rpc import ProjectionServicer
    from fashionmap.v1 import projection_service_pb2_grpc as rpc

    maps = MapCache(blobs)

    def build(events: Sequence[MapRequested]) -> list[Event | PermanentError | None]:
        results: list[Event | PermanentError | None] = []
        for event in events:
            try:
                results.append(build_requested_map(event, blobs=blobs))
            except PermanentError as error:
                results.append(error)
        return results

    def put(events: Sequence[PhotoEmbedded]) -> Sequence[Event | PermanentError | None]:
        return place_photos(events, blobs=blobs, maps=maps)

    rules = GrowthRules(
        share=settings.rebuild_share,
        photos=settings.rebuild_photos,
        quiet=settings.rebuild_quiet,
        longest=settings.rebuild_longest,
    )

    def refusal_of(event: MapRequested) -> str:
        return failure_key(STAGE, event, encode(event))

    watch = GrowthWatch(blobs, bus, rules, refusal_of, time.time)
    stages = [
        Stage(STAGE, QUEUES["projection.maps"], (MapRequested,), build),
        Stage(STAGE, QUEUES["projection.photos"], (PhotoEmbedded,), put),
        Stage(STAGE, QUEUES[GROWTH], (PhotoEmbedded, MapRequested, CollectionGrew), watch.handle),
    ]
    servicer = ProjectionServicer(blobs=blobs, publisher=bus, maps=maps)
    add = rpc.add_ProjectionServiceServicer_to_server
    return Service(STAGE, stages, "fashionmap.v1.ProjectionService", servicer, add)
