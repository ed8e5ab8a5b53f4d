"""What the page shows at first and at the key ``0``: nearly everything, without lone islands."""

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Page

from fashionmap.projection.page_columns import to_arrow
from tests.browser import DESKTOP, PHONE, opened, served, tab
from tests.e2e.pages import NEEDS_A_BROWSER, SPAN, Place, View, view_of

pytestmark = NEEDS_A_BROWSER

FAR = 4  # times as wide as the rest is the map with its islands; all is as high as wide


@dataclass(frozen=True)
class Isles:
    """A map with garments far to the right, and where the others lie in the page's units."""

    url: str
    rest: list[Place]
    alone: list[Place]

    def shown(self, view: View, window: dict[str, int]) -> tuple[int, int]:
        """How many of the rest, and of those alone, a view shows."""
        rest, alone = (
            sum(within(view.shows(place, window, turned=False), window) for place in places)
            for places in (self.rest, self.alone)
        )
        return rest, alone


def within(place: Place, window: dict[str, int]) -> bool:
    return 0 <= place[0] <= window["width"] and 0 <= place[1] <= window["height"]


@contextmanager
def isles(folder: Path, out: Path, *, alone: int) -> Iterator[Isles]:
    """A copy of a map, so many of its garments moved off; without names of groups."""
    shutil.copytree(folder, out)
    path = out / "page" / "about.json"
    about = json.loads(path.read_text("utf-8"))
    own = about["units"]["garment"]
    own["extent"] = [0.0, 0.0, float(FAR), 1.0]
    path.write_text(json.dumps({**about, "clusters": {}}), "utf-8")
    points = pa.ipc.open_file(out / "page" / "points.arrow").read_all()
    x, y = (points[axis].to_numpy().copy() for axis in "xy")
    garments = np.arange(own["first"], own["first"] + own["count"])
    x[garments] //= FAR
    moved = garments[:: len(garments) // alone][:alone]
    x[moved] = 65535
    y[moved] = 32768
    table = points.set_column(0, "x", pa.array(x))
    (out / "page" / "points.arrow").write_bytes(to_arrow(table.set_column(1, "y", pa.array(y))))

    def places(rows: np.ndarray) -> list[Place]:
        across = (x[rows] / 65535 - 0.5) * SPAN
        down = (y[rows] / 65535 - 0.5) * SPAN / FAR
        return list(zip(across.tolist(), down.tolist(), strict=True))

    with served(out) as url:
        yield Isles(url, places(np.setdiff1d(garments, moved)), places(moved))


@pytest.fixture(scope="module")
def one(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Isles]:
    with isles(folder, tmp_path_factory.mktemp("one") / "map", alone=1) as made:
        yield made


def press(page: Page, key: str) -> View:
    """What is shown once the map has come to rest after a key."""
    page.keyboard.press(key)
    page.wait_for_timeout(1500)
    return view_of(page)


@pytest.mark.parametrize("window", [DESKTOP, PHONE])
def test_given_a_lone_island_when_opened_then_the_rest_fills_the_window_and_0_shows_all(
    window: dict[str, int], browser: Browser, one: Isles
) -> None:
    with tab(browser, one.url, viewport=window, reduced_motion="reduce") as page:
        opened(page, one.url)
        home = view_of(page)
        assert one.shown(home, window) == (len(one.rest), 0)
        whole = press(page, "0")
        assert one.shown(whole, window) == (len(one.rest), len(one.alone))
        assert home.zoom > whole.zoom + math.log2(1.15)
        assert str(press(page, "0")) == str(home)
        press(page, "+")
        assert str(press(page, "0")) == str(home)


def test_given_a_kept_address_of_a_map_with_an_island_when_opened_then_its_view_is_shown(
    browser: Browser, one: Isles
) -> None:
    kept = View(12.5, -3, -1.25)
    with tab(browser, one.url) as page:
        opened(page, f"{one.url}#{kept}")
        assert str(view_of(page)) == str(kept)


def test_given_an_island_when_the_layout_is_left_and_chosen_again_then_the_rest_fills_the_window(
    browser: Browser, one: Isles
) -> None:
    with tab(browser, one.url, reduced_motion="reduce") as page:
        opened(page, one.url)
        home = str(view_of(page))
        page.get_by_role("button", name="Grid", exact=True).click()
        page.wait_for_url(lambda url: home not in url)
        page.get_by_role("button", name="Similarity", exact=True).click()
        page.wait_for_url(lambda url: home in url)


def test_given_an_island_of_too_many_when_opened_then_everything_is_shown(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    with (
        isles(folder, tmp_path / "map", alone=4) as many,
        tab(browser, many.url, reduced_motion="reduce") as page,
    ):
        opened(page, many.url)
        home = view_of(page)
        assert many.shown(home, DESKTOP) == (len(many.rest), len(many.alone))
        assert str(press(page, "0")) == str(home)
