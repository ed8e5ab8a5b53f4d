"""Maps whose page is visited by tests, and what tests look for on it."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas
import pyarrow.parquet as pq
import pytest
from benchmarks.looks import documents_of
from playwright.sync_api import Page

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.projection.build import MapContext, build_map
from tests.browser import BUILT, CHROMIUM, PHONE

NEEDS_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine"),
    pytest.mark.skipif(not BUILT.exists(), reason="the page is not built: make page"),
]
ZOOM = re.compile(r"z=([-\d.]+)")
EVIL = "<b id=evil>A</b>"
LYING = {"width": PHONE["height"], "height": PHONE["width"]}
SPAN = 2000  # the page's units along the longer side of a map
VIEW = re.compile(r"x=([-\d.]+)&y=([-\d.]+)&z=([-\d.]+)")

Place = tuple[float, float]


@dataclass(frozen=True)
class View:
    """The middle of the screen in the page's units, and the zoom as a power of two."""

    x: float
    y: float
    zoom: float

    def __str__(self) -> str:
        return f"x={self.x:.1f}&y={self.y:.1f}&z={self.zoom:.2f}"

    def shows(self, place: Place, window: dict[str, int], *, turned: bool) -> Place:
        """Where a place of the map lies on the screen, in pixels."""
        scale = 2**self.zoom
        right, below = (place[0] - self.x) * scale, (place[1] - self.y) * scale
        if turned:  # clockwise: what lies on the left is at the top
            right, below = -below, right
        return window["width"] / 2 + right, window["height"] / 2 + below


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


def of(folder: Path, kind: str = "garment") -> pandas.DataFrame:
    table = pandas.read_parquet(folder / "garments.parquet")
    return table[table["unit"] == kind]


def nearest(folder: Path, garment: str, count: int) -> list[str]:
    """By the vectors, among garments."""
    own = set(of(folder)["id"])
    table = pq.read_table(folder / "vectors.parquet").to_pandas()
    table = table[table["id"].isin(own)]
    matrix = np.stack(table["vector"].to_list())
    ids = table["id"].to_list()
    far = np.linalg.norm(matrix - matrix[ids.index(garment)], axis=1)
    return [ids[i] for i in np.argsort(far, kind="stable") if ids[i] != garment][:count]


def settled(page: Page) -> str:
    page.wait_for_timeout(350)
    return page.url


def zoom_of(page: Page) -> float:
    """Of the view that the address tells, once it tells one."""
    page.wait_for_url(ZOOM)
    found = ZOOM.search(settled(page))
    assert found is not None
    return float(found.group(1))


def view_of(page: Page) -> View:
    """What the address tells, once it does."""
    page.wait_for_url(VIEW)
    found = VIEW.search(page.url)
    assert found is not None
    return View(*map(float, found.groups()))


def draw_lasso(page: Page) -> None:
    page.get_by_role("button", name="Lasso a group").click()
    page.mouse.move(300, 90)
    page.mouse.down()
    for corner in ((300, 880), (1360, 880), (1360, 90), (310, 90)):
        page.mouse.move(*corner, steps=5)
    page.mouse.up()
