"""Filters, text and colours on the page in a real browser."""

import re
from pathlib import Path

import cv2
import numpy as np
import pandas
from playwright.sync_api import Page, expect

from tests.browser import opened
from tests.e2e.pages import EVIL, NEEDS_A_BROWSER, of

pytestmark = NEEDS_A_BROWSER


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


def test_given_a_column_with_one_value_when_shown_then_it_is_a_line_of_text(
    page: Page, address: str
) -> None:
    opened(page, address)
    line = page.locator(".filters .same")
    expect(line).to_have_text(f"brand {EVIL}")
    assert page.locator("#evil").count() == 0
