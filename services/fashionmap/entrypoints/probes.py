"""``/metrics``, ``/healthz`` and ``/readyz`` of a service over HTTP."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class Probes:
    """What the probes are answered with: ``""`` is well, anything else says what is wrong."""

    def __init__(self) -> None:
        self.unwell: Callable[[], str] = lambda: ""
        self.unready: Callable[[], str] = lambda: "the models are being loaded"

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body for a path."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        ask = {"/healthz": self.unwell, "/readyz": self.unready}.get(path)
        if ask is None:
            return 404, "text/plain", b"There are /metrics, /healthz and /readyz.\n"
        wrong = ask()
        return (503 if wrong else 200), "text/plain", f"{wrong or 'ok'}\n".encode()


def serve_probes(probes: Probes, *, host: str, port: int) -> ThreadingHTTPServer:
    """Serves them on a thread of its own until ``shutdown``."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            status, kind, body = probes.answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes come every few seconds: nobody wants to read of them."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
    return server
