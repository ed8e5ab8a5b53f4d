"""One service as a process: consumers, gRPC with health and reflection, draining on SIGTERM."""

import logging
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from fashionmap.adapters.blobs_minio import MinioBlobStore
from fashionmap.adapters.consumer_rabbitmq import RabbitConsumer
from fashionmap.entrypoints import compose
from fashionmap.entrypoints.stage import Foreman, Stage
from fashionmap.errors import FashionMapError, StoreUnavailable
from fashionmap.settings import Settings

log = structlog.get_logger()
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def serve(name: str, settings: Settings) -> None:
    """Runs a service until SIGTERM or SIGINT; then finishes the batch in hand and returns."""
    configure_logs(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server, status = _server()
    port = server.add_insecure_port(f"{settings.grpc_host}:{settings.grpc_port}")
    blobs, bus = compose.object_store(settings), compose.publisher(settings)
    service = compose.service(name, settings, blobs=blobs, bus=bus)
    service.add_to(service.servicer, server)
    names = (service.rpc_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    server.start()
    log.info("serving", service=name, grpc_port=port)
    crew = [_Post(stage, settings, blobs) for stage in service.stages]
    for post in crew:
        post.start()
    _watch(stop, crew, status, service.rpc_name, blobs)
    for post in crew:
        post.stop()
    for post in crew:
        post.join()
    server.stop(grace=5).wait()
    bus.close()
    log.info("stopped", service=name)


class _Post(threading.Thread):
    """A stage at work on a thread of its own."""

    def __init__(self, stage: Stage, settings: Settings, blobs: MinioBlobStore) -> None:
        super().__init__(name=stage.queue.name)
        self._bus = compose.publisher(settings)
        self._foreman = Foreman(stage, blobs=blobs, publisher=self._bus)
        self.consumer = RabbitConsumer(
            settings.amqp_url,
            stage.queue,
            self._foreman,
            heartbeat=settings.heartbeat,
            delivery_limit=settings.delivery_limit,
            batch=1 if stage.queue.single else settings.batch,
            batch_wait=settings.batch_wait,
        )

    def run(self) -> None:
        self.consumer.run()
        self._bus.close()

    def stop(self) -> None:
        self._foreman.stopping.set()
        self.consumer.stop()


def _server() -> tuple[grpc.Server, health.HealthServicer]:
    """A gRPC server that says NOT_SERVING until it is told otherwise."""
    server = grpc.server(
        ThreadPoolExecutor(8, thread_name_prefix="grpc"), options=compose.grpc_options()
    )
    status = health.HealthServicer()
    status.set("", NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    return server, status


def _watch(
    stop: threading.Event,
    crew: list[_Post],
    status: health.HealthServicer,
    rpc_name: str,
    blobs: MinioBlobStore,
) -> None:
    """Keeps the health status true until ``stop``: broker connected, store answering."""
    while not stop.wait(1.0):
        try:
            blobs.check()
            store = True
        except (StoreUnavailable, FashionMapError):
            store = False
        ready = store and all(post.consumer.connected.is_set() for post in crew)
        for name in ("", rpc_name):
            status.set(name, SERVING if ready else NOT_SERVING)
    status.enter_graceful_shutdown()


def configure_logs(level: str) -> None:
    """JSON lines on standard error; libraries' own words only from WARNING on."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
