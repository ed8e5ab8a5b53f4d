"""A relay in front of an HTTP server: what passes is counted and may be changed."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PACKED = "X-Amz-Meta-Snowball-Auto-Extract"
DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"


@dataclass
class Relay:
    """A relay at work.

    Attributes:
        address: Host and port where it listens.
        passed: Method of each request that went through, ``"PACKED"`` for a tar to unpack.
        server: What it says that the server is; None leaves it as it is.
        denies: Whether it refuses a request.
    """

    address: str
    passed: list[str] = field(default_factory=list)
    server: str | None = None
    denies: Callable[[str], bool] = lambda _verb: False


@contextmanager
def relay(target: str) -> Iterator[Relay]:
    """A relay to ``host:port``, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            verb = "PACKED" if PACKED in self.headers else self.command
            here.passed.append(verb)
            if here.denies(verb):
                about = {"Content-Type": "application/xml", "Content-Length": str(len(DENIED))}
                self._answer(403, about, DENIED)
            else:
                self._pass_on(body)

        def _pass_on(self, body: bytes) -> None:
            onward = http.client.HTTPConnection(target, timeout=30)
            headers = dict(self.headers.items())  # with the Host that was signed
            onward.request(self.command, self.path, body, headers)
            answer = onward.getresponse()
            data = answer.read()
            kept = {k: v for k, v in answer.getheaders() if k.lower() != "transfer-encoding"}
            if here.server is not None:
                kept["Server"] = here.server
            if self.command != "HEAD":
                kept["Content-Length"] = str(len(data))
            self._answer(answer.status, kept, data)
            onward.close()

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass  # noqa: N815

        def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Relay(f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
