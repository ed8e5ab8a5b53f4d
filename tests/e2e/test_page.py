"""A map folder's page in a real browser: what a visitor does, point by point."""

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas
import pyarrow.parquet as pq
import pytest
from benchmarks.looks import documents_of
from playwright.sync_api import Browser, Page, expect
from pycocotools import mask as coco_mask

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.projection.build import MapContext, build_map
from tests.browser import (
    ARGUMENTS,
    AXE,
    BUILT,
    CHROMIUM,
    PHONE,
    chromium,
    colours_on,
    opened,
    served,
    tab,
    violations,
)
from tests.processes import ROOT, until
from tests.servers import free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine"),
    pytest.mark.skipif(not BUILT.exists(), reason="the page is not built: make page"),
]
EVIL = "<b id=evil>A</b>"


def make_folder(looks: Path, out: Path, *, most: int = 99, unit: str = "both") -> Path:
    """A map of drawn looks from their ground truth, whose names try to be HTML."""
    documents = list(documents_of(looks, brand=EVIL))[:most]
    files = {photo: path for photo, path, _ in documents}
    build_map(
        (data for _, _, data in documents),
        store=FilesystemBlobStore(out),
        prefix="",
        unit=unit,
        context=MapContext(photos=lambda photo: files[photo].read_bytes()),
    )
    return out


@pytest.fixture(scope="module")
def folder(looks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(looks, tmp_path_factory.mktemp("page") / "map")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The folder, served by ``fashionmap serve``."""
    yield from serve(folder)


def serve(folder: Path) -> Iterator[str]:
    import os

    import urllib3

    port = free_port()
    command = [sys.executable, "-m", "fashionmap", "serve", str(folder), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "services")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as server:
        url = f"http://127.0.0.1:{port}/"

        def answers() -> bool:
            try:
                return urllib3.request("GET", url, retries=False, timeout=1.0).status == 200
            except urllib3.exceptions.HTTPError:
                return False

        until(answers, 60)
        assert urllib3.request("GET", url + ".fashionmap/files.json").status == 404
        yield url
        server.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as fresh:
        yield fresh


def of(folder: Path, kind: str = "garment") -> pandas.DataFrame:
    table = pandas.read_parquet(folder / "garments.parquet")
    return table[table["unit"] == kind]


def test_given_a_map_when_opened_then_it_is_drawn_within_the_time_and_counts_are_told(
    page: Page, address: str, folder: Path
) -> None:
    opened(page, address)
    expect(page.locator("#counts")).to_contain_text(f"{len(of(folder))} garments and 12 looks")
    page.wait_for_timeout(800)
    assert colours_on(page) > 300
    policy = page.evaluate("fetch('').then(r => r.headers.get('Content-Security-Policy'))")
    assert "unsafe" not in policy


def test_given_labels_when_one_is_clicked_then_the_map_flies_there(
    page: Page, address: str
) -> None:
    opened(page, address)
    label = page.locator(".labels button:visible").first
    assert re.fullmatch(r"[a-z &]+", label.inner_text())
    before = zoom_of(page)
    label.click()
    until(lambda: zoom_of(page) > before, 20)


def zoom_of(page: Page) -> float:
    found = re.search(r"z=([-\d.]+)", settled(page))
    assert found is not None
    return float(found.group(1))


def settled(page: Page) -> str:
    page.wait_for_timeout(350)
    return page.url


def test_given_layouts_and_units_when_chosen_then_the_address_tells_them_and_brings_them_back(
    page: Page, address: str
) -> None:
    opened(page, address)
    for name in ("Grid", "Category", "Colour"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page).to_have_url(re.compile(f"layout={name.lower()}"))
    page.get_by_role("button", name="Category", exact=True).click()
    expect(page.locator(".labels button", has_text="top")).to_be_visible()
    page.get_by_role("button", name="Looks", exact=True).click()
    expect(page.locator(".filters .value")).to_have_count(1 + 4 + 1)
    expect(page).to_have_url(re.compile(r"layout=category.*unit=look"))
    kept = page.url
    page.goto("about:blank")
    opened(page, kept)
    for name in ("Category", "Looks"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_have_attribute("aria-pressed", "true")


def test_given_filters_when_set_then_counts_follow_the_rest_fades_and_the_address_keeps_them(
    page: Page, address: str, folder: Path
) -> None:
    table = of(folder)
    opened(page, address)
    page.locator("fieldset", has_text="season").get_by_role("button", name="winter").click()
    winter = table[table["season"] == "winter"]
    first = winter["category"].value_counts().max()
    categories = page.locator("fieldset", has_text="Category").locator(".count")
    expect(categories.first).to_have_text(str(first))
    taken = page.get_by_label("taken from")
    taken.fill(str((pandas.Timestamp("2025-06-01") - pandas.Timestamp(0)).days))
    expect(page.locator("fieldset", has_text="taken").locator(".ends")).to_contain_text(
        "2025-06-01"
    )
    page.get_by_label("price to").fill("150")
    left = winter[(winter["taken"] >= "2025-06-01") & (winter["price"] <= 150)]
    counted = sum(int(t) for t in categories.all_inner_texts())
    assert counted <= len(left)
    page.locator("#search").fill("nothing like this")
    expect(page.locator(".nothing")).to_contain_text("Nothing fits")
    page.locator("#search").fill("0000")
    expect(page).to_have_url(re.compile(r"q=0000.*is.season=winter.*in.taken=.*in.price="))
    kept = page.url
    page.goto("about:blank")
    opened(page, kept)
    expect(page.locator("#search")).to_have_value("0000")
    expect(page.locator(".value[aria-pressed=true]")).to_have_count(1)
    page.get_by_role("button", name="Clear all filters").first.click()
    expect(page.locator(".value[aria-pressed=true]")).to_have_count(0)


def test_given_a_garment_when_opened_then_all_of_it_is_shown_and_arrows_walk_its_neighbours(
    page: Page, address: str, folder: Path
) -> None:
    table = of(folder)
    row = table[table["file_name"] == "000002.jpg"].iloc[0]
    opened(page, f"{address}#id={row['id']}")
    panel = page.locator(".panel")
    expect(panel.get_by_role("heading", name=row["category"])).to_be_visible()
    expect(panel.locator("canvas.photo")).to_have_attribute("data-state", "there", timeout=15_000)
    expect(panel.get_by_role("heading", name="Worn together")).to_be_visible()
    for text in (row["id"], EVIL, "ground-truth 1", "shape-and-colour 1", row["taken"]):
        expect(panel.locator("dd", has_text=text).first).to_be_visible()
    assert page.locator("#evil").count() == 0
    near = nearest(folder, row["id"], 3)
    page.locator("#map").focus()
    for other in near[:2]:
        page.keyboard.press("ArrowRight")
        expect(panel.locator("dd", has_text=other)).to_be_visible()
    page.keyboard.press("ArrowDown")
    deeper = nearest(folder, near[1], 1)[0]
    expect(panel.get_by_role("heading", name="Most alike")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(panel.locator("dd", has_text=deeper)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def nearest(folder: Path, garment: str, count: int) -> list[str]:
    """By the vectors, among garments."""
    own = set(of(folder)["id"])
    table = pq.read_table(folder / "vectors.parquet").to_pandas()
    table = table[table["id"].isin(own)]
    matrix = np.stack(table["vector"].to_list())
    ids = table["id"].to_list()
    far = np.linalg.norm(matrix - matrix[ids.index(garment)], axis=1)
    return [ids[i] for i in np.argsort(far, kind="stable") if ids[i] != garment][:count]


def test_given_a_click_when_a_garment_is_under_the_pointer_then_it_is_that_one(
    page: Page, address: str, folder: Path
) -> None:
    for row in of(folder).iloc[[0, 9, 20]].to_dict("records"):
        opened(page, f"{address}#layout=grid&id={row['id']}")  # no label lies on this layout
        place = resting(page)
        page.keyboard.press("Escape")
        x, y = (float(v) for v in str(place).split(","))
        page.mouse.click(x, y)
        expect(page.locator(".panel dd", has_text=row["id"])).to_be_visible()
        page.goto("about:blank")


def resting(page: Page) -> str:
    """Where the selected garment lies on the screen when the map has come to rest."""
    before, place = "", "-"
    while before != place:
        page.wait_for_timeout(900)
        before, place = place, str(page.locator("html").get_attribute("data-selected-at"))
    return place


def test_given_a_colour_when_picked_then_the_nearest_in_cielab_come_first(
    page: Page, address: str, folder: Path
) -> None:
    opened(page, address)
    page.get_by_label("Find garments near a colour").fill("#2e5aa8")
    panel = page.locator(".panel")
    expect(panel.get_by_role("heading", name="Nearest to this colour")).to_be_visible()
    table = of(folder)
    first = np.array([hex_lab(colours[0]) for colours in table["colours"]])
    far = np.linalg.norm(first - hex_lab("#2e5aa8"), axis=1)
    best = table.iloc[int(far.argmin())]
    shown = panel.locator(".mosaic button").first.get_attribute("title")
    assert shown == f"{best['category']}, {best['file_name']}"
    expect(page).to_have_url(re.compile("colour=2e5aa8"))


def hex_lab(colour: str) -> np.ndarray:
    rgb = np.array([[[int(colour[i : i + 2], 16) for i in (1, 3, 5)]]], np.float32) / 255
    lab: np.ndarray = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0, 0]
    return lab


def test_given_a_lasso_when_drawn_then_the_group_is_counted_shown_and_saved_in_every_form(
    page: Page, address: str, folder: Path
) -> None:
    opened(page, address)
    draw_lasso(page)
    panel = page.locator(".panel")
    told = panel.locator(".big").inner_text()
    count = int(told.split()[0])
    assert count == len(of(folder))
    assert sum(int(t) for t in panel.locator(".tally dd").all_inner_texts()) == count
    expect(panel.locator(".mosaic li")).to_have_count(min(count, 120))
    table = pandas.read_csv(io.BytesIO(saved(page, "CSV")))
    assert set(table["id"]) == set(of(folder)["id"])
    assert set(table["brand"]) == {EVIL}
    parquet = pandas.read_parquet(io.BytesIO(saved(page, "Parquet")))
    assert sorted(parquet["id"]) == sorted(table["id"])
    check_coco(json.loads(saved(page, "Masks (COCO)")), folder)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save this view as a picture").click()
    assert Path(waiting.value.path()).read_bytes()[:4] == b"\x89PNG"
    kept = settled(page)
    assert "lasso=" in kept
    page.goto("about:blank")
    opened(page, kept)
    expect(page.locator(".panel .big")).to_have_text(told)


def draw_lasso(page: Page) -> None:
    page.get_by_role("button", name="Lasso a group").click()
    page.mouse.move(300, 90)
    page.mouse.down()
    for corner in ((300, 880), (1360, 880), (1360, 90), (310, 90)):
        page.mouse.move(*corner, steps=5)
    page.mouse.up()


def saved(page: Page, name: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(waiting.value.path()).read_bytes()


def check_coco(document: dict[str, Any], folder: Path) -> None:
    """The masks are those of the map, run for run."""
    whole = json.loads((folder / "annotations.json").read_text("utf-8"))
    counts = {a["garment_id"]: a["segmentation"]["counts"] for a in whole["annotations"]}
    images = {image["id"] for image in document["images"]}
    assert document["annotations"]
    for one in document["annotations"]:
        assert one["image_id"] in images
        assert one["segmentation"]["counts"] == counts[one["garment_id"]]
        assert int(coco_mask.area(one["segmentation"])) == one["area"]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: make page")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_given_any_state_of_the_page_when_axe_looks_then_it_finds_nothing(
    scheme: Any, browser: Browser, address: str, folder: Path
) -> None:
    with tab(browser, address, color_scheme=scheme) as page:
        opened(page, f"{address}#id={of(folder).iloc[0]['id']}")
        expect(page.locator("canvas.photo")).to_have_attribute("data-state", "there")
        page.get_by_role("button", name="List of what is in view").click()
        expect(page.locator(".listing li").first).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="Close list").click()
        draw_lasso(page)
        expect(page.locator(".panel .big")).to_be_visible()
        assert violations(page) == []


def test_given_a_keyboard_alone_when_used_then_the_map_moves_and_garments_open(
    page: Page, address: str
) -> None:
    opened(page, address)
    page.locator("#map").focus()
    before = settled(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    assert settled(page) != before
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.get_by_role("button", name="List of what is in view").press("Enter")
    page.locator(".listing li button").first.press("Enter")
    expect(page.locator(".panel h2")).to_be_visible()


def test_given_a_phone_when_opened_then_everything_is_in_reach(
    browser: Browser, address: str, folder: Path
) -> None:
    with tab(browser, address, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        opened(page, address)
        page.wait_for_timeout(600)
        assert colours_on(page) > 100
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.get_by_role("button", name="Filters", exact=True).tap()
        expect(page.locator(".filters")).to_be_visible()
        page.get_by_role("button", name="Close filters").tap()
        page.get_by_role("button", name="List of what is in view").tap()
        page.locator(".listing li button").first.tap()
        expect(page.locator(".panel h2")).to_be_visible()
        if AXE.exists():
            assert violations(page) == []


@pytest.mark.parametrize(
    ("name", "spoil", "sentence"),
    [
        ("missing", lambda f: (f / "page" / "points.arrow").unlink(), "not complete"),
        ("cut", lambda f: cut(f / "page" / "points.arrow"), "half-written or damaged"),
        ("half", lambda f: cut(f / "page" / "about.json"), "half-written or damaged"),
        ("version", lambda f: reformat(f / "page" / "about.json"), "format 99"),
        ("later", lambda f: (f / "page" / "columns.arrow").unlink(), "columns.arrow is missing"),
        ("sheets", lambda f: [p.unlink() for p in (f / "page").glob("*.webp")], "is missing"),
    ],
)
def test_given_a_spoilt_folder_when_opened_then_one_sentence_says_so(
    name: str, spoil: Any, sentence: str, browser: Browser, folder: Path, tmp_path: Path
) -> None:
    spoilt = tmp_path / name
    shutil.copytree(folder, spoilt)
    spoil(spoilt)
    with served(spoilt) as url, tab(browser, url, careful=False) as page:
        page.goto(url)
        told = page.locator(".empty, .toast").filter(has_text=sentence)
        expect(told.first).to_be_visible(timeout=30_000)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def reformat(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


@pytest.mark.parametrize(("count", "unit"), [(0, "garment"), (1, "look")])
def test_given_an_empty_map_or_one_of_one_unit_when_opened_then_the_page_shows_it(
    count: int, unit: str, browser: Browser, looks: Path, tmp_path: Path
) -> None:
    out = make_folder(looks, tmp_path / "map", most=count, unit=unit)
    with served(out) as url, tab(browser, url) as page:
        page.goto(url)
        if count == 0:
            expect(page.locator(".empty")).to_contain_text("No garments were found")
        else:
            expect(page.locator("#counts")).to_contain_text("1 look")
            page.wait_for_timeout(800)
            assert colours_on(page) > 20


def test_given_no_webgl_when_opened_then_the_poster_is_shown(
    browser: Browser, address: str
) -> None:
    arguments = [*ARGUMENTS, "--disable-gpu", "--disable-3d-apis"]
    blind = browser.browser_type.launch(executable_path=CHROMIUM, args=arguments)
    with tab(blind, address, careful=False) as page:
        page.goto(address)
        expect(page.locator(".empty")).to_contain_text("WebGL 2")
        expect(page.locator("img.poster")).to_be_visible()
    blind.close()
