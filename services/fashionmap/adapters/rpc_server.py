"""A gRPC server with health, reflection, TLS by setting, and its calls measured."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from fashionmap.adapters.metrics import RPC_SECONDS
from fashionmap.errors import UsageError

WORKERS, MOST_CALLS = 8, 64
"""Calls at work, and calls that are let in at all: more are RESOURCE_EXHAUSTED."""


class RpcServer:
    """Says NOT_SERVING until it is told otherwise. Starts with ``start``."""

    def __init__(self, rpc_name: str, add_to: Callable[[grpc.Server], None]) -> None:
        self._server = grpc.server(
            ThreadPoolExecutor(WORKERS, thread_name_prefix="grpc"),
            interceptors=[_Clock()],
            options=[("grpc.so_reuseport", 0)],  # no second server on a port in use
            maximum_concurrent_rpcs=MOST_CALLS,
        )
        self._rpc_name, self._health = rpc_name, health.HealthServicer()
        self.say(serving=False)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        add_to(self._server)
        names = (rpc_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    def start(self, address: str, *, cert: Path | None, key: Path | None, ca: Path | None) -> int:
        """Listens; returns the port. ``UsageError`` where it cannot.

        Args:
            address: Host and port; port 0 chooses one.
            cert: Certificate of this server; None for no TLS.
            key: Its key.
            ca: Where given, clients must show a certificate that comes from it.
        """
        try:
            if cert is None:
                port: int = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, _credentials(cert, key, ca))
        except RuntimeError as error:
            raise UsageError(f"gRPC cannot listen on {address}.") from error
        self._server.start()
        return port

    def say(self, *, serving: bool) -> None:
        """Sets the health status."""
        status = health_pb2.HealthCheckResponse
        for name in ("", self._rpc_name):
            self._health.set(name, status.SERVING if serving else status.NOT_SERVING)

    def stop(self, seconds: float) -> None:
        """Says NOT_SERVING for good, and lets calls at work end for so long."""
        self._health.enter_graceful_shutdown()
        self._server.stop(grace=seconds).wait()


def _credentials(cert: Path, key: Path | None, ca: Path | None) -> grpc.ServerCredentials:
    if key is None:
        raise UsageError("FASHIONMAP_GRPC_CERT needs FASHIONMAP_GRPC_KEY.")
    try:
        pair = (key.read_bytes(), cert.read_bytes())
        roots = ca.read_bytes() if ca is not None else None
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return grpc.ssl_server_credentials(
        [pair], root_certificates=roots, require_client_auth=ca is not None
    )


class _Clock(grpc.ServerInterceptor):
    """Measures each call that has one answer."""

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or handler.response_streaming:
            return handler
        method = str(handler_call_details.method).rpartition("/")[2]
        made = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        act = handler.stream_unary if handler.request_streaming else handler.unary_unary
        return made(
            _timed(act, method),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _timed(act: Callable[[Any, Any], Any], method: str) -> Callable[[Any, Any], Any]:
    def timed(request: Any, context: Any) -> Any:
        began = time.monotonic()
        try:
            return act(request, context)
        finally:
            code = getattr(context.code(), "name", "OK")
            RPC_SECONDS.labels(method, code).observe(time.monotonic() - began)

    return timed
