"""Photos by address (``https://…``): from hosts that the operator names, and from outside alone.

A name is resolved once, its addresses are checked, and the connection goes to the very address that
was checked: a name that changes its mind in between (DNS rebinding) changes nothing. A redirect is
an address like any other. So nobody can have this network's own hosts asked (SSRF).
"""

import socket
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import certifi
import urllib3

from fashionmap.errors import PhotoRejected, UsageError

MOST_REDIRECTS = 3
TRIES = 2
CHUNK = 64 * 1024
NAT64 = IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


def is_outside(address: Address) -> bool:
    """Whether an address is one of the internet, also where it wraps one of the old protocol."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_outside(inner)
    return address.is_global and not address.is_multicast


class PhotoFetcher:
    """Fetches photos from a few hosts.

    Args:
        hosts: ``host`` or ``host:port``; none lets nothing be fetched.
        seconds: Most seconds for one photo, redirects included.
        ca: CA of the hosts' certificates, instead of the public ones.
        may_ask: Whether an address may be connected to.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        seconds: float = 60.0,
        ca: Path | None = None,
        may_ask: Callable[[Address], bool] = is_outside,
    ) -> None:
        self._hosts = frozenset(host if ":" in host else f"{host}:443" for host in hosts)
        self._seconds, self._ca, self._may_ask = seconds, str(ca or certifi.where()), may_ask

    def get(self, address: str, *, most: int) -> bytes:
        """A photo's bytes.

        Raises:
            UsageError: The address, or one that it leads to, may not be asked.
            PhotoRejected: It gives no photo of at most ``most`` bytes in time.
        """
        deadline = time.monotonic() + self._seconds
        for left in reversed(range(TRIES)):
            try:
                return self._follow(address, most, deadline)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                if not left or time.monotonic() > deadline:
                    what = type(error).__name__
                    raise PhotoRejected(f"{address!r} does not answer: {what}.") from error
        raise AssertionError("unreachable: the last try raises")

    def _follow(self, address: str, most: int, deadline: float) -> bytes:
        for _ in range(MOST_REDIRECTS + 1):
            with self._ask(address) as pool:
                found = self._read(pool, address, most, deadline)
            if isinstance(found, bytes):
                return found
            address = urljoin(address, found)
        raise PhotoRejected(f"{address!r} leads on and on.")

    def _ask(self, address: str) -> urllib3.HTTPSConnectionPool:
        """A connection to the address's host, at an address that was checked."""
        host, port = self._checked(address)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        numbers = [str(entry[4][0]) for entry in found]
        if not all(self._may_ask(ip_address(n.partition("%")[0])) for n in numbers):
            raise UsageError(f"{host!r} is of this network or none: nothing is fetched from there.")
        return urllib3.HTTPSConnectionPool(
            numbers[0],
            port,
            timeout=urllib3.Timeout(connect=5, read=10),
            retries=False,
            cert_reqs="CERT_REQUIRED",
            ca_certs=self._ca,
            server_hostname=host,
            assert_hostname=host,
        )

    def _checked(self, address: str) -> tuple[str, int]:
        try:
            parts = urlsplit(address)
            host, port = (parts.hostname or "").lower(), parts.port or 443
        except ValueError as error:
            raise UsageError(f"{address!r} is no address.") from error
        if parts.scheme != "https" or parts.username is not None:
            raise UsageError(f"{address!r} is no https address without a user.")
        if f"{host}:{port}" not in self._hosts:
            raise UsageError(f"Nothing is fetched from {host}:{port} (FASHIONMAP_INGEST_HOSTS).")
        return host, port

    def _read(
        self, pool: urllib3.HTTPSConnectionPool, address: str, most: int, deadline: float
    ) -> bytes | str:
        """The photo, or where it is instead."""
        parts = urlsplit(address)
        answer = pool.urlopen(
            "GET",
            parts._replace(scheme="", netloc="", fragment="").geturl() or "/",
            headers={"Host": parts.netloc, "Accept": "image/*", "Accept-Encoding": "identity"},
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            if where := answer.get_redirect_location():
                return where
            if answer.status != 200:
                raise PhotoRejected(f"{address!r} answers {answer.status}.")
            return _bytes_of(answer, address, most, deadline)
        finally:
            answer.close()


def _bytes_of(answer: urllib3.BaseHTTPResponse, address: str, most: int, deadline: float) -> bytes:
    data = bytearray()
    for chunk in answer.stream(CHUNK, decode_content=False):
        data += chunk
        if len(data) > most:
            raise PhotoRejected(f"{address!r} has more than the allowed {most >> 20} MB.")
        if time.monotonic() > deadline:
            raise PhotoRejected(f"{address!r} takes too long.")
    return bytes(data)
