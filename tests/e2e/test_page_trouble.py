"""Spoilt, empty and tiny maps, and a browser that cannot draw."""

import json
import re
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import (
    ARGUMENTS,
    AXE,
    CHROMIUM,
    PHONE,
    colours_on,
    opened,
    served,
    tab,
    violations,
)
from tests.e2e.pages import NEEDS_A_BROWSER, make_folder, nearest, of
from tests.processes import until

pytestmark = NEEDS_A_BROWSER


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
            until(lambda: colours_on(page) > 20, 20)


@pytest.fixture(params=["--disable-3d-apis", "--disable-webgl --disable-webgl2"])
def blind(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The page in a browser that truly gives no WebGL."""
    switches = [*ARGUMENTS, "--disable-gpu", *request.param.split()]
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=switches)
    with tab(other, address) as page:
        opened(page, address)
        given = "['webgl', 'webgl2'].map(k => document.createElement('canvas').getContext(k))"
        assert page.evaluate(given) == [None, None]
        yield page
    other.close()


def test_given_no_webgl_when_opened_then_one_sentence_says_so_and_the_list_does_everything(
    blind: Page, folder: Path
) -> None:
    table, wall, panel = of(folder), blind.locator(".wall"), blind.locator(".panel")
    expect(wall.locator(".notice")).to_contain_text("no WebGL 2")
    expect(wall.locator("li")).to_have_count(len(table))
    winter = table[table["season"] == "winter"]
    blind.locator("fieldset", has_text="season").get_by_role("button", name="winter").click()
    expect(wall.locator("li")).to_have_count(len(winter))
    expect(wall.get_by_role("status")).to_contain_text(f"{len(winter)} garments")
    blind.get_by_role("button", name="Category", exact=True).click()
    expect(wall.get_by_role("status")).to_contain_text("by category")
    blocks = [name for name, _ in groupby(wall.locator("li span").all_inner_texts())]
    assert sorted(blocks) == sorted(set(winter["category"]))
    wall.locator("li button").first.press("Enter")
    expect(panel.locator("canvas.photo")).to_have_attribute("data-state", "there", timeout=15_000)
    garment = panel.locator("dt", has_text="id").locator("+ dd").inner_text()
    near = nearest(folder, garment, 1)[0]
    blind.keyboard.press("ArrowRight")
    expect(panel.locator("dd", has_text=near)).to_be_visible()
    blind.wait_for_url(re.compile(f"id={near}"))
    blind.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    blind.get_by_role("button", name="Looks", exact=True).click()
    expect(wall.locator("li")).to_have_count(3)
    if AXE.exists():
        assert violations(blind) == []


def test_given_no_webgl_on_a_phone_when_opened_then_the_list_fits(
    browser: Browser, address: str
) -> None:
    switches = [*ARGUMENTS, "--disable-gpu", "--disable-3d-apis"]
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=switches)
    with tab(other, address, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        opened(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.locator(".wall li button").first.tap()
        expect(page.locator(".panel h2")).to_be_visible()
    other.close()
