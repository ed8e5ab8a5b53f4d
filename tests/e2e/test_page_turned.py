"""The similarity map, turned by a quarter where that shows it clearly larger, in a real browser."""

import io
import json
import math
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, ViewportSize, expect

from tests.browser import DESKTOP, PHONE, opened, served, tab
from tests.e2e.pages import LYING, NEEDS_A_BROWSER, SPAN, Place, View, of, settled, view_of
from tests.processes import until

pytestmark = NEEDS_A_BROWSER

SMALL = {"width": 1000, "height": 700}
FREE = PHONE["width"] - 28  # pixels across that a phone has for the map
START = (200, 200)  # of a drag: neither title nor tools nor panel lie there


@dataclass(frozen=True)
class Stretched:
    """A map of a known form, and where each garment lies on it, in the page's units."""

    url: str
    places: dict[str, Place]

    @property
    def ends(self) -> tuple[str, str]:
        """The garments that lie the farthest to the left and to the right."""
        ranked = sorted(self.places, key=lambda garment: self.places[garment])
        return ranked[0], ranked[-1]

    @property
    def loneliest(self) -> str:
        """The garment whose nearest is the farthest away."""

        def alone(garment: str) -> float:
            own = self.places[garment]
            return min(math.dist(own, at) for one, at in self.places.items() if one != garment)

        return max(self.places, key=alone)


@contextmanager
def stretched(folder: Path, out: Path, *, wide: float, high: float) -> Iterator[Stretched]:
    """A copy of a map whose garments fill a box of this form, without names of groups."""
    shutil.copytree(folder, out)
    path = out / "page" / "about.json"
    about = json.loads(path.read_text("utf-8"))
    x1, y1, x2, y2 = about["units"]["garment"]["extent"]
    about["units"]["garment"]["extent"] = [0.0, 0.0, wide, high]
    path.write_text(json.dumps({**about, "clusters": {}}), "utf-8")
    unit = SPAN / max(wide, high)
    table = of(folder)
    across = ((table["x"] - x1) / (x2 - x1) - 0.5) * wide * unit
    down = ((table["y"] - y1) / (y2 - y1) - 0.5) * high * unit
    places = dict(zip(table["id"], zip(across, down, strict=True), strict=True))
    with served(out) as url:
        yield Stretched(url, places)


@pytest.fixture(scope="module")
def wide(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stretched]:
    with stretched(folder, tmp_path_factory.mktemp("wide") / "map", wide=2, high=1) as made:
        yield made


def selected_at(page: Page) -> Place:
    """Where the page says that the selected garment lies on the screen."""
    root = page.locator("html")
    expect(root).to_have_attribute("data-selected-at", re.compile(","))
    x, y = str(root.get_attribute("data-selected-at")).split(",")
    return float(x), float(y)


def lies_at(page: Page, place: Place) -> None:
    """Waits until the selected garment lies there on the screen, give or take two pixels."""
    until(lambda: math.dist(selected_at(page), place) < 2, 20)


def reopened(page: Page, address: str) -> None:
    page.goto("about:blank")
    opened(page, address)


def test_given_a_wide_map_when_opened_on_a_phone_then_it_fills_the_upright_screen(
    browser: Browser, wide: Stretched
) -> None:
    with tab(browser, wide.url, viewport=PHONE) as page:
        opened(page, wide.url)
        home, found = view_of(page), []
        for garment in wide.ends:
            reopened(page, f"{wide.url}#{home}&id={garment}")
            found.append(selected_at(page))
    (left, top), (right, bottom) = found
    assert min(left, right) > 0
    assert max(left, right) < PHONE["width"]
    assert top > 60
    assert bottom < PHONE["height"] - 80
    assert bottom - top > 1.4 * FREE  # unturned it would have this width at most


def test_given_a_turned_map_when_a_garment_is_clicked_where_it_is_shown_then_it_opens(
    browser: Browser, wide: Stretched
) -> None:
    garment = wide.loneliest
    view = View(wide.places[garment][0] + 200, wide.places[garment][1] + 150, -1)
    place = view.shows(wide.places[garment], PHONE, turned=True)
    with tab(browser, wide.url, viewport=PHONE) as page:
        opened(page, f"{wide.url}#{view}")
        page.mouse.click(*place)
        expect(page.locator(".panel h2")).to_be_visible()
        expect(page).to_have_url(re.compile(f"id={garment}"))
        lies_at(page, place)


def test_given_an_address_of_a_turned_map_when_opened_on_a_desktop_then_its_middle_is_the_same(
    browser: Browser, wide: Stretched
) -> None:
    garment = wide.loneliest
    view = View(wide.places[garment][0] + 200, wide.places[garment][1] - 100, -1)
    with tab(browser, wide.url, viewport=PHONE) as page:
        opened(page, f"{wide.url}#{view}&id={garment}")
        x, y = view.shows(wide.places[garment], PHONE, turned=True)
        lies_at(page, (x, y))
        page.mouse.move(x, y)
        page.mouse.wheel(0, -120)
        until(lambda: view_of(page).zoom > view.zoom, 20)
        lies_at(page, (x, y))  # what is zoomed at stays where it is
        page.mouse.move(*START)
        page.mouse.down()
        middle = (PHONE["width"] / 2, PHONE["height"] / 2)
        page.mouse.move(START[0] + middle[0] - x, START[1] + middle[1] - y, steps=4)
        lies_at(page, middle)
        page.mouse.up()
        shared = page.url
    with tab(browser, wide.url) as page:
        opened(page, shared)
        lies_at(page, (DESKTOP["width"] / 2, DESKTOP["height"] / 2))


def test_given_a_turned_map_when_dragged_then_it_moves_under_the_finger(
    browser: Browser, wide: Stretched
) -> None:
    garment = wide.loneliest
    view = View(wide.places[garment][0], wide.places[garment][1] + 120, -1)
    x, y = view.shows(wide.places[garment], PHONE, turned=True)
    with tab(browser, wide.url, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        opened(page, f"{wide.url}#{view}&id={garment}")
        lies_at(page, (x, y))
        screen = page.context.new_cdp_session(page)
        touch(screen, "touchStart", START)
        for share in (0.5, 1):
            touch(screen, "touchMove", (START[0] + 60 * share, START[1] + 100 * share))
        lies_at(page, (x + 60, y + 100))
        touch(screen, "touchEnd")
        page.keyboard.press("Shift+ArrowRight")  # what lies to the right comes nearer
        lies_at(page, (x + 60 - 90, y + 100))


def touch(screen: CDPSession, kind: str, *fingers: Place) -> None:
    points = [{"x": x, "y": y} for x, y in fingers]
    screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_given_a_phone_when_it_is_turned_then_the_rule_is_applied_and_the_middle_stays(
    browser: Browser, wide: Stretched
) -> None:
    garment = wide.loneliest
    view = View(wide.places[garment][0] + 150, wide.places[garment][1] + 50, -1)
    with tab(browser, wide.url, viewport=PHONE) as page:
        opened(page, f"{wide.url}#{view}&id={garment}")
        for window, turned in ((PHONE, True), (LYING, False), (PHONE, True)):
            page.set_viewport_size({"width": window["width"], "height": window["height"]})
            lies_at(page, view.shows(wide.places[garment], window, turned=turned))
        assert str(view_of(page)) == str(view)


def home_in(browser: Browser, url: str, window: ViewportSize) -> str:
    """The first view in a window of this size."""
    with tab(browser, url, viewport=window) as page:
        opened(page, url)
        return str(view_of(page))


@pytest.mark.parametrize(("before", "after"), [(PHONE, LYING), (LYING, PHONE), (DESKTOP, SMALL)])
def test_given_a_view_as_it_was_fitted_when_the_window_changes_then_it_is_fitted_anew(
    before: ViewportSize, after: ViewportSize, browser: Browser, wide: Stretched
) -> None:
    home = home_in(browser, wide.url, after)
    with tab(browser, wide.url, viewport=before) as page:
        opened(page, wide.url)
        assert str(view_of(page)) != home
        page.set_viewport_size(after)
        until(lambda: str(view_of(page)) == home, 20)


@pytest.mark.parametrize("touch", ["drag", "wheel", "key"])
def test_given_a_view_that_was_moved_when_the_phone_is_turned_then_it_stays_until_fitted_again(
    touch: str, browser: Browser, wide: Stretched
) -> None:
    home = home_in(browser, wide.url, LYING)
    with tab(browser, wide.url, viewport=PHONE, reduced_motion="reduce") as page:
        opened(page, wide.url)
        fitted = str(view_of(page))
        page.mouse.move(*START)
        if touch == "drag":
            page.mouse.down()
            page.mouse.move(START[0] + 40, START[1] + 60, steps=4)
            page.wait_for_timeout(200)  # held still before it is let go: no throw
            page.mouse.up()
        elif touch == "wheel":
            page.mouse.wheel(0, -120)
        else:
            page.keyboard.press("ArrowRight")
        until(lambda: str(view_of(page)) != fitted, 20)
        settled(page)
        moved = str(view_of(page))
        page.set_viewport_size(LYING)
        settled(page)
        assert str(view_of(page)) == moved
        page.keyboard.press("0")
        until(lambda: str(view_of(page)) == home, 20)


def test_given_a_tall_map_when_opened_in_a_wide_window_then_it_is_turned_too(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    with (
        stretched(folder, tmp_path / "map", wide=1, high=2) as tall,
        tab(browser, tall.url) as page,
    ):
        garment, view = tall.loneliest, View(0, 0, -1)
        opened(page, f"{tall.url}#{view}&id={garment}")
        lies_at(page, view.shows(tall.places[garment], DESKTOP, turned=True))


@pytest.mark.parametrize("layout", ["category", "colour"])
def test_given_a_phone_when_a_layout_of_rows_is_shown_then_its_rows_stay_rows(
    layout: str, browser: Browser, wide: Stretched
) -> None:
    with tab(browser, wide.url, viewport=PHONE) as page:
        opened(page, f"{wide.url}#layout={layout}")
        assert view_of(page).zoom < math.log2(FREE / SPAN) + 0.05  # its longer side lies across


def test_given_a_turned_map_when_a_loop_is_drawn_then_it_holds_what_lies_inside_it_on_the_screen(
    browser: Browser, wide: Stretched
) -> None:
    view, (x1, y1, x2, y2) = View(0, 0, -1.5), (4, 130, 386, 420)
    shown = [view.shows(place, PHONE, turned=True) for place in wide.places.values()]
    inside = sum(x1 < x < x2 and y1 < y < y2 for x, y in shown)
    assert 0 < inside < len(shown)
    with tab(browser, wide.url, viewport=PHONE) as page:
        opened(page, f"{wide.url}#{view}")
        page.get_by_role("button", name="Lasso a group").click()
        page.mouse.move(x1, y1)
        page.mouse.down()
        for corner in ((x1, y2), (x2, y2), (x2, y1), (x1 + 1, y1)):
            page.mouse.move(*corner, steps=5)
        page.mouse.up()
        expect(page.locator(".panel .big")).to_have_text(re.compile(rf"^{inside}\b"))


def test_given_a_turned_map_when_saved_as_a_picture_then_that_is_not_turned(
    browser: Browser, wide: Stretched
) -> None:
    with tab(browser, wide.url, viewport=PHONE) as page:
        opened(page, wide.url)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Save this view as a picture").click()
        saved = Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    assert saved.size == (LYING["width"], LYING["height"])
