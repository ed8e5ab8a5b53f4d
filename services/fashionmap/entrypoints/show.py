"""A map folder as a web page on this machine."""

from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fashionmap.errors import UsageError

HIDDEN = "/.fashionmap"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class FolderFiles(SimpleHTTPRequestHandler):
    """Serves a folder's files, but not the run's state, and no listings."""

    protocol_version = "HTTP/1.1"  # one connection for many files

    def end_headers(self) -> None:
        """Ends them, with those of every answer."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def send_head(self) -> Any:
        """Finds the file; nothing of the run's state."""
        if self.path.startswith(HIDDEN):
            self.send_error(404)
            return None
        return super().send_head()

    def list_directory(self, path: Any) -> None:  # noqa: ARG002
        """Lists nothing."""
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing of each request."""


def show_folder(folder: Path, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serves until Ctrl-C; says the address first."""
    try:
        server = ThreadingHTTPServer((host, port), partial(FolderFiles, directory=str(folder)))
    except OSError as error:
        raise UsageError(f"Nothing can be served on {host}:{port}: {error.strerror}.") from error
    say(f"The map is at http://{host}:{server.server_address[1]}/ (Ctrl-C ends).")
    with server:
        server.serve_forever()
