"""Downloading many small files politely: a limited rate, patience, checks."""

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from fashionmap import __version__
from fashionmap.errors import DatasetRejected, ServiceUnavailable
from fashionmap.training.datasets.pictures import look_at

GONE = frozenset({400, 401, 403, 404, 410, 451})
LARGEST = 32 << 20
"""Bytes beyond which an answer is no photo of a data set."""


class Downloader:
    """Fetches pictures from one server, at most ``rate`` requests a second.

    A server that is busy, or does not answer, is asked again with growing, jittered waits, and
    after as long as it says (``Retry-After``).
    """

    def __init__(self, address: str, *, rate: float, tries: int = 6, slowest: float = 60.0) -> None:
        if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
            raise DatasetRejected(f"{address!r} is no address of a web server.")
        self._address, self._pause = address.rstrip("/"), 1 / rate
        self._tries, self._slowest, self._next = tries, slowest, 0.0

    def fetch(self, path: str) -> bytes | None:
        """The picture at a path; None where the server has none, or has something else.

        Raises:
            DatasetRejected: The server does not answer; the same command goes on later.
        """
        tries = Retrying(
            retry=retry_if_exception_type(ServiceUnavailable),
            wait=self._wait,
            stop=stop_after_attempt(self._tries),
            reraise=True,
        )
        try:
            return tries(self._once, self._address + urllib.parse.quote("/" + path.lstrip("/")))
        except ServiceUnavailable as error:
            raise DatasetRejected(f"{error} The same command goes on from here.") from error

    def _once(self, address: str) -> bytes | None:
        time.sleep(max(self._next - time.monotonic(), 0))
        self._next = time.monotonic() + self._pause
        agent = {"User-Agent": f"fashionmap/{__version__}"}
        request = urllib.request.Request(address, headers=agent)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                data: bytes = response.read(LARGEST + 1)
                expected = response.headers.get("Content-Length")
        except urllib.error.HTTPError as error:
            if error.code in GONE:
                return None
            raise _busy(address, f"answers {error.code}", error) from error
        except (OSError, http.client.HTTPException) as error:
            raise _busy(address, f"does not answer: {error}", error) from error
        if expected is not None and len(data) < min(int(expected), LARGEST):
            raise ServiceUnavailable(f"{address} broke off in the middle.")
        return data if _is_picture(data) else None

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = float(getattr(error, "retry_after", 0) or 0)
        backoff = float(wait_random_exponential(multiplier=0.5, max=self._slowest)(state))
        return min(max(asked, backoff), self._slowest)


def _busy(address: str, what: str, error: Exception) -> ServiceUnavailable:
    busy = ServiceUnavailable(f"{address} {what}.")
    headers = getattr(error, "headers", None)
    asked = headers.get("Retry-After", "") if headers is not None else ""
    busy.retry_after = int(asked) if str(asked).isdigit() else 0  # type: ignore[attr-defined]
    return busy


def _is_picture(data: bytes) -> bool:
    try:
        look_at(data)
    except DatasetRejected:
        return False
    return len(data) <= LARGEST
