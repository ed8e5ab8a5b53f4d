"""The map itself in a real browser: drawing, labels, layouts, keys, sizes of screens."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import AXE, PHONE, colours_on, opened, tab, violations
from tests.e2e.pages import NEEDS_A_BROWSER, draw_lasso, of, zoom_of
from tests.processes import until

pytestmark = NEEDS_A_BROWSER


def test_given_a_map_when_opened_then_it_is_drawn_within_the_time_and_counts_are_told(
    page: Page, address: str, folder: Path
) -> None:
    opened(page, address)
    expect(page.locator("#counts")).to_contain_text(f"{len(of(folder))} garments and 12 looks")
    until(lambda: colours_on(page) > 300, 20)
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
    expect(page.locator(".filters .value")).to_have_count(1 + 4)
    expect(page).to_have_url(re.compile(r"layout=category.*unit=look"))
    kept = page.url
    page.goto("about:blank")
    opened(page, kept)
    for name in ("Category", "Looks"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_have_attribute("aria-pressed", "true")


def test_given_a_keyboard_alone_when_used_then_the_map_moves_and_garments_open(
    page: Page, address: str
) -> None:
    opened(page, address)
    page.locator("#map").focus()
    before, kept = zoom_of(page), page.url
    page.keyboard.press("ArrowRight")
    expect(page).not_to_have_url(kept)
    page.keyboard.press("+")
    until(lambda: zoom_of(page) > before, 20)
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
        until(lambda: colours_on(page) > 100, 20)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.get_by_role("button", name="Filters", exact=True).tap()
        expect(page.locator(".filters")).to_be_visible()
        page.get_by_role("button", name="Close filters").tap()
        page.get_by_role("button", name="List of what is in view").tap()
        page.locator(".listing li button").first.tap()
        expect(page.locator(".panel h2")).to_be_visible()
        if AXE.exists():
            assert violations(page) == []


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
