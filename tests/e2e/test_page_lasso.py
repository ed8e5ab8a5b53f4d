"""A lassoed group on the page in a real browser, and every file that it is saved to."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas
from playwright.sync_api import Page, expect
from pycocotools import mask as coco_mask

from tests.browser import opened
from tests.e2e.pages import EVIL, NEEDS_A_BROWSER, draw_lasso, of, settled

pytestmark = NEEDS_A_BROWSER


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
    page.wait_for_url(re.compile("lasso="))
    kept = settled(page)
    page.goto("about:blank")
    opened(page, kept)
    expect(page.locator(".panel .big")).to_have_text(told)


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
