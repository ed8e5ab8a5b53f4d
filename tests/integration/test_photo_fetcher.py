"""Photos by address: from a real https server, and what is never asked."""

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from fashionmap.adapters.blobs_addressed import AddressedBlobStore
from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.photo_decoder import PhotoDecoder
from fashionmap.adapters.photo_fetcher import PhotoFetcher, is_outside
from fashionmap.domain import keys
from fashionmap.domain.events import PhotoOffered
from fashionmap.errors import PermanentError, PhotoRejected, UsageError
from fashionmap.ingest.handler import ingest_photo
from tests.papers import Papers

MOST = 10 * 2**20


class Host:
    """An https server on localhost that answers by path, and remembers what it was asked."""

    def __init__(self, papers: Papers, photo: bytes) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(f"{self.headers['Host']}{self.path}")
                first, _, rest = self.path[1:].partition("/")
                if first == "to":
                    self.send_response(302)
                    self.send_header("Location", rest)
                    self.end_headers()
                    return
                self.send_response(200 if first in ("photo", "endless") else 404)
                self.end_headers()
                while first == "endless":
                    self.wfile.write(bytes(2**16))
                if first == "photo":
                    self.wfile.write(photo)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True  # the client had enough

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*papers.of("server"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.name = f"localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def host(papers: Papers, looks: Path) -> Iterator[Host]:
    running = Host(papers, next((looks / "images").iterdir()).read_bytes())
    yield running
    running.server.shutdown()
    running.server.server_close()


def fetcher(host: Host, papers: Papers, *more: str) -> PhotoFetcher:
    """One that may ask this machine, which the tests' server is on."""
    return PhotoFetcher(
        [host.name, *more], ca=papers.ca, seconds=10, may_ask=lambda address: address.is_loopback
    )


def test_given_an_address_on_an_allowed_host_when_offered_then_its_photo_is_ingested(
    host: Host, papers: Papers, tmp_path: Path
) -> None:
    blobs = AddressedBlobStore(FilesystemBlobStore(tmp_path), fetcher(host, papers))
    offer = PhotoOffered("c", "a.jpg", key=f"https://{host.name}/to//photo/a.jpg?size=large")
    done = ingest_photo(offer, blobs=blobs, decoder=PhotoDecoder())
    assert blobs.exists(keys.original("c", done.photo_id))
    assert host.asked[-1] == f"{host.name}/photo/a.jpg?size=large"


def test_given_no_allowed_hosts_when_an_address_is_offered_then_nothing_is_asked(
    host: Host, tmp_path: Path
) -> None:
    blobs = AddressedBlobStore(FilesystemBlobStore(tmp_path), PhotoFetcher([]))
    offer = PhotoOffered("c", "a.jpg", key=f"https://{host.name}/photo")
    with pytest.raises(UsageError, match="FASHIONMAP_INGEST_HOSTS"):
        ingest_photo(offer, blobs=blobs, decoder=PhotoDecoder())
    assert not host.asked


def test_given_an_allowed_name_of_this_network_when_asked_for_then_it_is_refused(
    host: Host, papers: Papers
) -> None:
    with pytest.raises(UsageError, match="of this network"):
        PhotoFetcher([host.name], ca=papers.ca).get(f"https://{host.name}/photo", most=MOST)
    assert not host.asked


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("to/https://localhost:1/photo", "Nothing is fetched from localhost:1"),
        ("to/https://169.254.169.254/latest/meta-data", "Nothing is fetched from 169.254.169.254"),
        ("to/http://elsewhere.example/", "no https address"),
        ("to/file:///etc/passwd", "no https address"),
        ("to/https://root@localhost/", "without a user"),
        ("missing", "answers 404"),
        ("endless", "more than the allowed 10 MB"),
    ],
)
def test_given_where_it_may_not_go_when_led_there_then_it_does_not_follow(
    path: str, word: str, host: Host, papers: Papers
) -> None:
    with pytest.raises(PermanentError, match=word):
        fetcher(host, papers).get(f"https://{host.name}/{path}", most=MOST)


def test_given_redirects_without_end_when_followed_then_they_end(
    host: Host, papers: Papers
) -> None:
    path = "/to/" * 6 + "photo"
    with pytest.raises(PhotoRejected, match="leads on and on"):
        fetcher(host, papers).get(f"https://{host.name}{path}", most=MOST)


def test_given_a_certificate_of_another_when_asked_then_nothing_is_read(host: Host) -> None:
    strict = PhotoFetcher([host.name], may_ask=lambda _: True)
    with pytest.raises(PhotoRejected, match="SSLError"):
        strict.get(f"https://{host.name}/photo", most=MOST)
    assert not host.asked


def test_given_a_name_that_changes_its_mind_when_asked_then_the_checked_address_is_connected(
    host: Host, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(host.name.rpartition(":")[2])
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]]
    monkeypatch.setenv("no_proxy", "*")
    resolve = socket.getaddrinfo

    def once(name: str, *rest: object, **more: object) -> object:
        """The first answer is ours; a second question for the name would be the mistake."""
        return answers.pop() if name == "localhost" else resolve(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", once)
    assert fetcher(host, papers).get(f"https://{host.name}/photo", most=MOST)
    assert not answers


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fd00::1", "::"),
        *("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1"),
    ],
)
def test_given_an_address_of_no_host_outside_when_checked_then_it_is_refused(address: str) -> None:
    assert not is_outside(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_given_an_address_outside_when_checked_then_it_passes(address: str) -> None:
    assert is_outside(ip_address(address))
