"""What the explorer tells Prometheus: a real process over the real RabbitMQ and MinIO."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import urllib3
from PIL import Image

from tests.processes import Cluster, until
from tests.servers import Servers, free_port

pytestmark = pytest.mark.services
EVENTS = "api/collections/spring/events"
SEEN = "fashionmap_http_seconds_count"


@dataclass
class Watched:
    """An explorer whose peers are away, and where its metrics are."""

    page: str
    metrics: str

    def value(self, sample: str) -> float:
        """A sample's value; 0 where there is none yet."""
        text = urllib3.request("GET", self.metrics + "metrics").data.decode()
        lines = [line for line in text.splitlines() if line.startswith(sample + " ")]
        return float(lines[0].rpartition(" ")[2]) if lines else 0.0

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> int:
        """Status of a call."""
        return urllib3.request(method, self.page + path, body=body, retries=False).status


@pytest.fixture(scope="module")
def watched(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder, http, metrics, nobody = (
        tmp_path_factory.mktemp("watched"),
        *(free_port() for _ in "abc"),
    )
    own = {
        f"FASHIONMAP_{name}_PORT": str(port)
        for name, port in (("HTTP", http), ("METRICS", metrics))
    }
    own |= {"FASHIONMAP_EXPLORER_UPLOAD": "1"}
    for name in ("INGEST", "SEGMENTATION", "EMBEDDING", "PROJECTION"):
        own[f"FASHIONMAP_{name}_ADDRESS"] = f"127.0.0.1:{nobody}"
    cluster = Cluster(servers.fresh(), folder, {"explorer": own})
    cluster.start("explorer")
    there = Watched(f"http://127.0.0.1:{http}/", f"http://127.0.0.1:{metrics}/")
    try:
        until(lambda: _answers(there.metrics + "readyz") == 200, 60)
        yield there
        cluster.stop()
    finally:
        cluster.running["explorer"].kill()


def test_given_requests_when_scraped_then_they_are_counted_by_pattern_and_status(
    watched: Watched,
) -> None:
    names = ("one", "two", "three")
    assert [watched.ask(f"api/collections/{name}") for name in names] == [404, 404, 404]
    assert watched.ask("api/collections") == 200
    assert watched.ask("nobody/knows/this") == 404
    pattern = "/api/collections/{collection}"
    assert watched.value(f'{SEEN}{{route="{pattern}",status="404"}}') == 3
    assert watched.value(f'{SEEN}{{route="/api/collections",status="200"}}') == 1
    files = ("/{file}", "none")  # with the built page, and without
    assert sum(watched.value(f'{SEEN}{{route="{name}",status="404"}}') for name in files) == 1
    assert watched.value('fashionmap_connected{queue="events",stage="explorer"}') == 1
    assert urllib3.request("GET", watched.metrics + "healthz").status == 200


def test_given_an_open_page_when_it_goes_then_its_stream_is_no_longer_counted(
    watched: Watched,
) -> None:
    assert watched.value("fashionmap_event_streams") == 0
    pool = urllib3.PoolManager()
    stream = pool.request("GET", watched.page + EVENTS, preload_content=False)
    until(lambda: watched.value("fashionmap_event_streams") == 1, 10)
    pattern = "/api/collections/{collection}/events"
    assert watched.value(f'{SEEN}{{route="{pattern}",status="200"}}') == 1
    stream.close()
    pool.clear()
    until(lambda: watched.value("fashionmap_event_streams") == 0, 40)


def test_given_uploads_when_scraped_then_what_became_of_them_is_counted(watched: Watched) -> None:
    sink = io.BytesIO()
    Image.new("RGB", (64, 96)).save(sink, "PNG")
    photos = "api/collections/spring/photos"
    assert watched.ask(photos, "POST", sink.getvalue()) == 503
    assert watched.ask(photos, "POST", b"x" * (2 << 20)) == 413
    assert watched.ask("api/collections/spring/maps/m/search", "POST", sink.getvalue()) == 200
    assert _uploads(watched, "collection") == {"done": 0, "failed": 1, "refused": 1}
    assert _uploads(watched, "search") == {"done": 0, "failed": 1, "refused": 0}


def _uploads(watched: Watched, aim: str) -> dict[str, float]:
    return {
        outcome: watched.value(f'fashionmap_uploads_total{{aim="{aim}",outcome="{outcome}"}}')
        for outcome in ("done", "failed", "refused")
    }


def _answers(address: str) -> int:
    try:
        return urllib3.request("GET", address, retries=False, timeout=5.0).status
    except urllib3.exceptions.HTTPError:
        return 0
