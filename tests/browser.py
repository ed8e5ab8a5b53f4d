"""A real Chromium for tests and benchmarks of the page, and a folder served to it."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from fashionmap.entrypoints.show import FolderFiles
from tests.servers import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BUILT = ROOT / "services" / "fashionmap" / "explorer" / "static" / "index.html"
AXE = ROOT / "services" / "web" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
]


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """A browser with software rendering, and ``more`` of Chromium's own switches."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more])
        yield browser
        browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A map folder over HTTP, as ``fashionmap serve`` does it, without a process of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(FolderFiles, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def tab(browser: Browser, address: str, *, careful: bool = True, **context: Any) -> Iterator[Page]:
    """A page of its own; where ``careful``, any error or foreign request fails the test."""
    opened = browser.new_context(**{"viewport": DESKTOP, **context})
    page = opened.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    own = (address, "blob:", "data:")
    page.on("request", lambda r: None if r.url.startswith(own) else wrong.append(r.url))
    yield page
    opened.close()
    assert not careful or not wrong, wrong


def opened(page: Page, address: str) -> None:
    """Opens an address and waits until everything is read."""
    page.goto(address)
    ready(page)


def ready(page: Page) -> None:
    """Waits until everything is read."""
    expect(page.locator("html")).to_have_attribute("data-ready", "yes", timeout=60_000)


def resting(page: Page) -> tuple[float, float]:
    """Where the selected garment lies on the screen when the map has come to rest."""
    before, place = "", "-"
    while before != place:
        page.wait_for_timeout(900)
        before, place = place, str(page.locator("html").get_attribute("data-selected-at"))
    x, y = place.split(",")
    return float(x), float(y)


def violations(page: Page) -> list[str]:
    """What axe finds."""
    page.evaluate(Path(AXE).read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [f"{v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]


def colours_on(page: Page) -> int:
    """How many colours a screenshot of the drawing has: a blank canvas has hardly any."""
    import io

    from PIL import Image

    shot = Image.open(io.BytesIO(page.locator("main.stage").screenshot())).convert("RGB")
    return len(shot.resize((360, 225)).getcolors(1 << 20) or [])
