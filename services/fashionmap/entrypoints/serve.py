"""One service as a process: consumers, gRPC, probes, draining on SIGTERM."""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import structlog

from fashionmap.adapters.consumer_rabbitmq import RabbitConsumer
from fashionmap.adapters.metrics import ModelCollector
from fashionmap.adapters.rpc_server import RpcServer
from fashionmap.adapters.tracing import start_tracing, stop_tracing
from fashionmap.entrypoints import compose
from fashionmap.entrypoints.gate import StageGate
from fashionmap.entrypoints.probes import Probes, serve_probes
from fashionmap.entrypoints.stage import Foreman, Stage
from fashionmap.errors import ServiceUnavailable
from fashionmap.ports import BlobStore
from fashionmap.settings import Settings

log = structlog.get_logger()
PROBE_SECONDS = 5.0
"""A store that answers a probe later than this counts as away."""


def serve(name: str, settings: Settings) -> None:
    """Runs a service until SIGTERM or SIGINT; then finishes the batches in hand and returns.

    Raises:
        ServiceUnavailable: A thread of it died; whoever started it shall start it again.
    """
    configure_logs(settings.log_level)
    compose.broker(settings).parameters(heartbeat=settings.heartbeat)  # says at once what is wrong
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    probes = Probes()
    if settings.metrics_port:
        serve_probes(probes, host=settings.metrics_host, port=settings.metrics_port)
    start_tracing(name, endpoint=settings.otlp_endpoint, file=settings.trace_file)
    blobs, bus = compose.object_store(settings), compose.publisher(settings)
    service = compose.service(name, settings, blobs=blobs, bus=bus)
    ModelCollector(name, lambda: [model.stamp for model in service.models]).register()
    rpc = RpcServer(service.rpc_name, lambda server: service.add_to(service.servicer, server))
    port = rpc.start(
        f"{settings.grpc_host}:{settings.grpc_port}",
        cert=settings.grpc_cert,
        key=settings.grpc_key,
        ca=settings.grpc_client_ca,
    )
    log.info("serving", service=name, grpc_port=port, models=[m.stamp.key for m in service.models])
    gate = StageGate(name, compose.object_store(settings, patience=0, read_seconds=PROBE_SECONDS))
    crew = [_Post(stage, settings, blobs, gate) for stage in service.stages]
    try:
        _work(stop, crew, gate, probes, rpc, settings)
    finally:
        rpc.stop(5)
        bus.close()
        stop_tracing()
    log.info("stopped", service=name)


def _work(
    stop: threading.Event,
    crew: "list[_Post]",
    gate: StageGate,
    probes: Probes,
    rpc: RpcServer,
    settings: Settings,
) -> None:
    """Lets the crew work until ``stop``, and tells the truth about it meanwhile."""
    probes.unready = lambda: _unready(gate, crew)
    probes.unwell = lambda: _unwell(crew, settings.batch_limit)
    gate.refresh()
    for post in crew:
        post.start()
    while not stop.wait(1.0):
        gate.refresh()
        rpc.say(serving=not _unready(gate, crew))
        if dead := [post.name for post in crew if not post.is_alive()]:
            log.error("died", threads=dead)
            stop.set()
    died = [post.name for post in crew if not post.is_alive()]
    for post in crew:
        post.stop()
    for post in crew:
        post.join()
    if died:
        raise ServiceUnavailable(f"The consumer of {' and '.join(died)} died.")


class _Post(threading.Thread):
    """A stage at work on a thread of its own."""

    def __init__(self, stage: Stage, settings: Settings, blobs: BlobStore, gate: StageGate) -> None:
        super().__init__(name=stage.queue.name)
        # the foreman waits by himself, so that a SIGTERM finds him awake
        self._bus = compose.publisher(settings, patience=5.0)
        self._foreman = Foreman(
            stage, blobs=blobs, publisher=self._bus, delivery_limit=settings.delivery_limit
        )
        self.consumer = RabbitConsumer(
            compose.broker(settings),
            stage.queue,
            self._foreman,
            heartbeat=settings.heartbeat,
            batch=1 if stage.queue.one_by_one else settings.batch,
            batch_wait=settings.batch_wait,
            in_hand=stage.in_hand,
            gate=gate,
        )

    def run(self) -> None:
        try:
            self.consumer.run()
        except Exception as error:
            log.error("consumer died", queue=self.name, error=repr(error))
        finally:
            self._bus.close()

    def connected(self) -> bool:
        """Whether its queue is consumed; also what the metrics say."""
        is_connected = self.consumer.connected.is_set()
        self._foreman.meter.connected(is_connected)
        return is_connected

    def stop(self) -> None:
        self._foreman.stopping.set()
        self.consumer.stop()


def _unready(gate: StageGate, crew: list[_Post]) -> str:
    """Why no work should be sent; ``""`` where all is there. A paused stage still answers."""
    lost = [post.name for post in crew if not post.connected()]
    if not gate.store_answers:
        return "the object store does not answer"
    return f"the broker is away: {', '.join(lost)}" if lost and not gate.paused else ""


def _unwell(crew: list[_Post], limit: float) -> str:
    """Why the process should be started again; ``""`` where it need not be."""
    for post in crew:
        if not post.is_alive():
            return f"the consumer of {post.name} died"
        if post.consumer.busy_for() > limit:
            return f"a batch of {post.name} takes more than {limit:.0f} seconds"
    return ""


def configure_logs(level: str) -> None:
    """JSON lines on standard error; libraries' own words and warnings only from WARNING on."""
    shared: list[Callable[..., Any]] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    lines = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(lines)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
