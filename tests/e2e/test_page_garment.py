"""One garment on the page in a real browser: its panel, its neighbours, the pointer."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser import opened, resting
from tests.e2e.pages import EVIL, NEEDS_A_BROWSER, nearest, of

pytestmark = NEEDS_A_BROWSER


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


def test_given_a_click_when_a_garment_is_under_the_pointer_then_it_is_that_one(
    page: Page, address: str, folder: Path
) -> None:
    for row in of(folder).iloc[[0, 9, 20]].to_dict("records"):
        opened(page, f"{address}#layout=grid&id={row['id']}")  # no label lies on this layout
        place = resting(page)
        page.keyboard.press("Escape")
        page.mouse.click(*place)
        expect(page.locator(".panel dd", has_text=row["id"])).to_be_visible()
        page.goto("about:blank")
