"""A map folder's page in a real browser."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.processes import ROOT, until
from tests.servers import free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BUILT = ROOT / "services" / "fashionmap" / "explorer" / "static" / "index.html"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine"),
    pytest.mark.skipif(not BUILT.exists(), reason="the page is not built: make page"),
]
ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"),
]


@pytest.fixture(scope="module")
def folder(looks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of twelve looks, with metadata that tries to be HTML."""
    out = tmp_path_factory.mktemp("page") / "map"
    about = out.parent / "about.csv"
    about.write_text("file_name,brand\n000001.jpg,<b id=evil>A</b>\n000002.jpg,plain\n")
    command = [sys.executable, "-m", "fashionmap", "map", str(looks / "images"), "--out", str(out)]
    command += ["--unit", "both", "--metadata", str(about)]
    subprocess.run(command, check=True, env=environment(), capture_output=True, timeout=240)
    return out


def environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT / "services"), "OMP_NUM_THREADS": "2"}


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The folder, served by ``fashionmap serve``."""
    import urllib3

    port = free_port()
    command = [sys.executable, "-m", "fashionmap", "serve", str(folder), "--port", str(port)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as server:
        url = f"http://127.0.0.1:{port}/"

        def answers() -> bool:
            try:
                return urllib3.request("GET", url, retries=False, timeout=1.0).status == 200
            except urllib3.exceptions.HTTPError:
                return False

        until(answers, 30)
        assert urllib3.request("GET", url + ".fashionmap/files.json").status == 404
        yield url
        server.terminate()


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """A page that fails the test on any error and on any foreign request."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = browser.new_page(viewport={"width": 1200, "height": 800})
        wrong: list[str] = []
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        tab.on(
            "request",
            lambda r: (
                None if r.url.startswith((address, "blob:", "data:")) else wrong.append(r.url)
            ),
        )
        yield tab
        browser.close()
        assert not wrong


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("data-ready", "yes", timeout=60_000)


def test_given_a_map_when_opened_then_it_is_drawn_and_counts_are_told(
    page: Page, address: str
) -> None:
    opened(page, address)
    expect(page.locator("#counts")).to_contain_text("12 photos")
    expect(page.locator("#fallback")).to_be_hidden()
    page.wait_for_timeout(3000)
    pixels = page.evaluate(
        "() => createImageBitmap(document.querySelector('#stage canvas')).then(b => b.width)"
    )
    assert pixels > 300


def test_given_a_garment_in_the_address_when_opened_then_its_panel_shows_neighbours(
    page: Page, address: str, folder: Path
) -> None:
    table = pandas.read_parquet(folder / "garments.parquet")
    row = table[(table["unit"] == "garment") & (table["file_name"] == "000001.jpg")].iloc[0]
    opened(page, f"{address}#id={row['id']}")
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading", name="Most alike")).to_be_visible(timeout=30_000)
    expect(panel.locator("dd", has_text=row["id"])).to_be_visible()
    expect(panel.locator("dd", has_text="<b id=evil>A</b>")).to_be_visible()
    assert page.locator("#evil").count() == 0
    panel.locator(".pictures button").last.click()
    expect(panel.locator("dd", has_text=row["id"])).to_have_count(0)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_given_filters_and_layouts_when_used_then_the_address_tells_them(
    page: Page, address: str
) -> None:
    opened(page, address)
    page.locator(".chip").first.click()
    page.select_option("#layout", "grid")
    page.locator("#search").fill("0000")
    expect(page).to_have_url(re.compile(r"layout=grid.*q=0000.*category="), timeout=10_000)
    kept = page.url
    page.goto("about:blank")
    opened(page, kept)
    expect(page.locator("#layout")).to_have_value("grid")
    expect(page.locator(".chip").first).to_have_attribute("aria-pressed", "true")
    page.locator("#search").fill("nothing like this")
    expect(page.locator("#message")).to_contain_text("Nothing fits")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#message")).to_be_hidden()
    page.select_option("#unit", "look")
    expect(page.locator(".chip")).to_have_count(1)
    page.locator("#listing summary").click()
    expect(page.locator("#list li").first).to_be_visible()


def test_given_a_folder_that_lacks_files_when_opened_then_one_sentence_says_so(
    address: str, folder: Path
) -> None:
    points = folder / "page" / "points.arrow"
    points.rename(points.with_suffix(".away"))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            tab = browser.new_page()
            tab.goto(address)
            expect(tab.locator("#message")).to_contain_text("not complete", timeout=30_000)
            browser.close()
    finally:
        points.with_suffix(".away").rename(points)
