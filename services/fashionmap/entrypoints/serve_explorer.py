"""The explorer as a process: HTTP over the running system."""

import socket
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import structlog
import uvicorn

from fashionmap.adapters.listener_rabbitmq import RabbitListener
from fashionmap.adapters.metrics import CONNECTED
from fashionmap.adapters.peers_grpc import GrpcPeers, channel_credentials
from fashionmap.entrypoints import compose
from fashionmap.entrypoints.collection import count_photos, failures_of, replay
from fashionmap.entrypoints.probes import Probes, serve_probes
from fashionmap.entrypoints.serve import configure_logs
from fashionmap.errors import FashionMapError, UsageError
from fashionmap.explorer.app import create_app
from fashionmap.explorer.backend import Backend
from fashionmap.explorer.hub import Hub
from fashionmap.explorer.maps import PAGE
from fashionmap.settings import Settings

log = structlog.get_logger()


def serve_explorer(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT; ends open streams and returns."""
    configure_logs(settings.log_level)
    compose.broker(settings).parameters(heartbeat=settings.heartbeat)  # says at once what is wrong
    hub = Hub()
    listener = RabbitListener(
        lambda: compose.broker(settings).parameters(heartbeat=settings.heartbeat),
        hub.heard,
        delivery_limit=settings.delivery_limit,
    )
    backend = _backend(settings, hub, listener)
    app = create_app(backend)
    if settings.metrics_port:
        _watch(settings, listener, backend.ready)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    server = _Server(config, hub)
    sockets = [_bound(settings.http_host, settings.http_port)]
    log.info("serving", service="explorer", http_port=sockets[0].getsockname()[1])
    listener.start()
    server.run(sockets=sockets)
    listener.stop()
    listener.join(5)
    log.info("stopped", service="explorer")


def _watch(settings: Settings, listener: RabbitListener, ready: Callable[[], bool]) -> None:
    """Serves metrics and probes as the other services do."""
    CONNECTED.labels("explorer", "events").set_function(listener.connected.is_set)
    probes = Probes()
    probes.unready = lambda: "" if ready() else "the broker or the object store is away"
    probes.unwell = lambda: (
        "the listener died" if listener.ident and not listener.is_alive() else ""
    )
    serve_probes(probes, host=settings.metrics_host, port=settings.metrics_port)


class _Server(uvicorn.Server):
    """Lets go of pages that listen to events when it is told to end."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Ends streams, then the server."""
        self._hub.close()
        super().handle_exit(sig, frame)


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise UsageError(f"Nothing can be served on {host}:{port}: {error.strerror}.") from error


def _backend(settings: Settings, hub: Hub, listener: RabbitListener) -> Backend:
    store, bus = compose.object_store(settings), compose.publisher(settings)

    def ready() -> bool:
        try:
            store.check()
        except FashionMapError:
            return False
        return listener.connected.is_set()

    return Backend(
        store=store,
        peers=GrpcPeers(
            ingest=settings.ingest_address,
            segmentation=settings.segmentation_address,
            embedding=settings.embedding_address,
            projection=settings.projection_address,
            credentials=channel_credentials(
                ca=settings.grpc_ca, cert=settings.grpc_cert, key=settings.grpc_key
            ),
        ),
        hub=hub,
        queues=lambda: [asdict(length) for length in listener.lengths],
        census=lambda collection: count_photos(store, collection),
        failures=lambda collection: map(_told, failures_of(store, collection)),
        replay=lambda collection, stage: replay(store, bus, collection, stage=stage),
        ready=ready,
        page=PAGE,
        token=settings.explorer_token,
        most_bytes=settings.explorer_upload << 20,
    )


def _told(failure: dict[str, Any]) -> dict[str, Any]:
    """A failure without the message that would be sent again."""
    return {k: failure[k] for k in ("stage", "photo_id", "file_name", "reason", "at")}
