"""The live page over the running services, the real RabbitMQ and the real MinIO."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import Browser, Page, expect

from fashionmap.adapters.topology import QUEUES
from fashionmap.adapters.weights import SHIPPED
from tests.browser import AXE, colours_on, opened, tab, violations
from tests.e2e.pages import NEEDS_A_BROWSER
from tests.processes import SERVICES, Cluster, until
from tests.servers import Servers, free_port

pytestmark = [
    pytest.mark.services,
    *NEEDS_A_BROWSER,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (SHIPPED / "garments-small.safetensors").exists(), reason="no model weights are here"
    ),
]
TOKEN = "a token for tests"


@dataclass
class Live:
    """The whole system with its explorer."""

    cluster: Cluster
    address: str
    looks: list[Path]

    def start(self) -> None:
        """Starts the explorer and waits until it is ready."""
        self.cluster.start("explorer")
        until(lambda: self.status("readyz") == 200, 90)

    def status(self, path: str, method: str = "GET") -> int:
        """Status of a call, 0 where nobody answers."""
        try:
            url = self.address + path
            return urllib3.request(method, url, retries=False, timeout=5.0).status
        except urllib3.exceptions.HTTPError:
            return 0


@pytest.fixture(scope="module")
def live(servers: Servers, looks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Nine looks published and mapped; three are kept for visitors."""
    folder = tmp_path_factory.mktemp("live")
    ports = {name: free_port() for name in (*SERVICES, "http")}
    addresses = {f"FASHIONMAP_{n.upper()}_ADDRESS": f"127.0.0.1:{ports[n]}" for n in SERVICES}
    settings = {**addresses, "FASHIONMAP_HTTP_PORT": str(ports["http"])}
    settings |= {"FASHIONMAP_EXPLORER_UPLOAD": "1", "FASHIONMAP_EXPLORER_TOKEN": TOKEN}
    files = sorted((looks / "images").glob("*.jpg"))
    first = folder / "photos"
    first.mkdir()
    for path in files[:9]:
        shutil.copy(path, first)
    own = {name: {"FASHIONMAP_GRPC_PORT": str(ports[name])} for name in SERVICES}
    environment = {**servers.fresh(), "FASHIONMAP_THREADS": "2"}
    cluster = Cluster(environment, folder, {**own, "explorer": settings})
    running = Live(cluster, f"http://127.0.0.1:{ports['http']}/", files)
    try:
        for name in SERVICES:
            cluster.start(name)
        running.start()
        cluster.run("publish", str(first), "--collection", "spring", "--follow")
        yield running
        cluster.stop()
    finally:
        for process in cluster.running.values():
            if process.poll() is None:
                process.kill()
                process.wait(10)


@pytest.fixture
def page(browser: Browser, live: Live) -> Iterator[Page]:
    """The page of the collection, whose visitor has the token."""
    with tab(browser, live.address, careful=False) as fresh:
        fresh.add_init_script(f"sessionStorage.setItem('fashionmap-token', '{TOKEN}')")
        opened(fresh, live.address)
        yield fresh


def upload(page: Page, file: Path | dict[str, object]) -> None:
    page.get_by_label("Choose a photo whose garments are found").set_input_files(file)  # type: ignore[arg-type]


def test_given_a_collection_when_opened_then_its_map_is_drawn_with_photos_and_operations(
    live: Live, page: Page
) -> None:
    expect(page.get_by_label("Collection")).to_have_value("spring")
    expect(page.locator("#counts")).to_contain_text("from 9 photos")
    until(lambda: colours_on(page) > 200, 20)
    page.get_by_role("button", name="List of what is in view").click()
    page.locator(".listing li button").first.click()
    page.get_by_role("button", name="Close list").click()
    photo = page.locator(".panel canvas.photo")
    expect(photo).to_have_attribute("data-state", "there", timeout=20_000)
    expect(page.get_by_role("heading", name="Most alike")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Operations").click()
    view = page.locator(".operations")
    expect(view.locator(".stages .number")).to_have_text(["9", "9", "9", "9"], timeout=20_000)
    expect(view.locator("tbody tr")).to_have_count(len(QUEUES))
    if AXE.exists():
        assert violations(page) == []


def test_given_a_photo_when_dropped_then_its_garments_lie_on_the_map_and_nothing_is_kept(
    live: Live, page: Page
) -> None:
    upload(page, live.looks[9])
    visit = page.locator(".visit")
    expect(visit.locator(".found li").first).to_be_visible(timeout=90_000)
    expect(visit.locator(".found .mosaic li").first).to_be_visible()
    expect(page.locator(".filters")).to_be_hidden()
    expect(page.locator(".panel canvas.photo")).to_have_attribute("data-state", "there")
    expect(page.locator("#counts")).to_contain_text("since")
    page.get_by_role("button", name="Operations").click()
    expect(page.locator(".panel")).to_be_hidden()  # nothing lies under the operations
    page.get_by_role("button", name="Close operations").click()
    expect(page.locator(".panel")).to_be_visible()
    visit.get_by_role("button", name="Close your photo").click()
    expect(page.locator("#counts")).not_to_contain_text("since")


def test_given_a_photo_when_added_then_it_appears_in_its_place_on_every_open_page(
    live: Live, page: Page, browser: Browser
) -> None:
    with tab(browser, live.address) as other:
        opened(other, live.address)
        upload(page, live.looks[10])
        page.get_by_role("button", name="Add it to spring").click(timeout=90_000)
        expect(page.locator(".visit .keep")).to_contain_text("on the map", timeout=90_000)
        expect(other.locator("#counts")).to_contain_text("since", timeout=30_000)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("notes.txt", b"no picture", "is no picture"),
        ("empty.jpg", b"", "is empty"),
        ("large.jpg", b"x" * (1 << 20) + b"x", "1 are allowed"),
        ("broken.jpg", b"no picture at all", "no JPEG, PNG"),
    ],
)
def test_given_a_bad_upload_when_dropped_then_one_sentence_says_why(
    name: str, data: bytes, sentence: str, page: Page
) -> None:
    upload(page, {"name": name, "mimeType": "", "buffer": data})
    told = page.locator(".toast, .visit .trouble").filter(has_text=sentence)
    expect(told.first).to_be_visible(timeout=60_000)


def test_given_a_photo_without_garments_when_dropped_then_the_page_says_so(
    page: Page, tmp_path: Path
) -> None:
    from PIL import Image

    Image.new("RGB", (640, 480), (120, 130, 140)).save(tmp_path / "wall.jpg")
    upload(page, tmp_path / "wall.jpg")
    expect(page.locator(".visit")).to_contain_text("No garment was found", timeout=90_000)


def test_given_a_refused_photo_when_retried_then_its_reason_is_shown_before_and_after(
    live: Live, page: Page, tmp_path: Path
) -> None:
    bad = tmp_path / "ünfug.jpg"
    bad.write_bytes(b"no picture")
    live.cluster.run("publish", str(bad), "--collection", "spring")
    page.get_by_role("button", name="Operations").click()
    failures = page.locator(".failures")
    expect(failures).to_contain_text("ünfug.jpg", timeout=60_000)
    expect(failures).to_contain_text("no JPEG")
    page.get_by_role("button", name="Retry all").click()
    expect(page.locator(".toast")).to_contain_text("sent again")
    expect(failures).to_contain_text("ünfug.jpg", timeout=60_000)


def test_given_no_token_when_writing_then_the_call_is_refused_and_the_page_asks_for_it(
    live: Live, browser: Browser
) -> None:
    assert live.status("api/collections/spring/retry", "POST") == 401
    with tab(browser, live.address, careful=False) as page:
        opened(page, live.address)
        page.get_by_role("button", name="Operations").click()
        page.get_by_role("button", name="Build a new map").click()
        page.get_by_role("dialog").get_by_label("Token", exact=True).fill(TOKEN)
        page.get_by_role("button", name="Go on").click()
        expect(page.locator(".toast")).to_contain_text("asked for")
        expect(page.locator("#counts")).to_contain_text("looks from", timeout=120_000)


def test_given_a_server_that_goes_away_when_it_is_back_then_the_page_goes_on(
    live: Live, page: Page
) -> None:
    live.cluster.kill("explorer")
    expect(page.locator(".away")).to_be_visible(timeout=20_000)
    assert colours_on(page) > 200
    live.start()
    expect(page.locator(".away")).to_be_hidden(timeout=30_000)
    page.get_by_role("button", name="Grid", exact=True).click()
    time.sleep(1)
    assert colours_on(page) > 200


def test_given_odd_paths_when_asked_then_nothing_but_map_files_is_given(live: Live) -> None:
    assert live.status("healthz") == 200
    for path in (
        "maps/spring/..%2f..%2fphotos/x",
        "maps/spring/none/page/about.json",
        "maps/..%2f/x/map.json",
        "api/collections/spring/photos/..%2f..%2f/preview",
        "api/collections/nothing",
        "%2e%2e/app.py",
    ):
        assert live.status(path) == 404, path
