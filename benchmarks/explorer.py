"""The page over 100,000 garments and over 1,000,000 dots, in headless Chromium.

Sample looks are repeated with jitter. Measured: when the first picture is there and what was
transferred by then, JavaScript's heap, script time a frame while dragging (by the tracing API), and
whether the right garment is under the pointer. Peers' figures stand in docs/explorer.md.
"""

import json
import shutil
import tempfile
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from tests.browser import CHROMIUM, DESKTOP, chromium, resting, served

from benchmarks.looks import documents_of
from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.projection.build import MapContext, build_map
from fashionmap.projection.page import BUILT, page_order
from fashionmap.projection.page_atlases import LEVELS, Atlas, Level
from fashionmap.projection.page_columns import photo_table, points_tables, to_arrow
from fashionmap.projection.page_details import CHUNK, NEAR
from fashionmap.sample.dataset import write_looks

LOOKS = 120


def run() -> None:
    """Makes both maps, measures each three times, prints the medians."""
    if CHROMIUM is None or not (BUILT / "index.html").exists():
        print("  needs Chromium and the built page (make page)")
        return
    with tempfile.TemporaryDirectory() as scratch:
        source = _sources(Path(scratch))
        for count, pictures in ((100_000, True), (1_000_000, False)):
            folder = Path(scratch) / str(count)
            repeat_map(source, folder, count=count, pictures=pictures)
            with served(folder) as address:
                found = [measure(address, picking=pictures) for _ in range(3)]
            print(f"  {count:>9,} units: {_told(found)}", flush=True)


def _sources(scratch: Path) -> Path:
    """A map of sample looks, made of their ground truth."""
    looks, out = scratch / "looks", scratch / "source"
    write_looks(looks, count=LOOKS, seed=5)
    documents = list(documents_of(looks))
    files = {photo: path for photo, path, _ in documents}
    build_map(
        (data for _, _, data in documents),
        store=FilesystemBlobStore(out),
        prefix="",
        context=MapContext(photos=lambda photo: files[photo].read_bytes()),
    )
    return out


def repeat_map(source: Path, folder: Path, *, count: int, pictures: bool) -> None:
    """Writes the page's files of a map of ``count`` garments: the source's, with jitter."""
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    table = pq.read_table(source / "garments.parquet")
    rows = random.integers(0, table.num_rows, count)
    side = int(np.ceil(np.sqrt(count)))
    spread = float(np.ptp(table["x"].to_numpy())) * 0.08
    many = table.take(pa.array(rows))
    for axis in ("x", "y"):
        jittered = many[axis].to_numpy() + random.normal(scale=spread, size=count)
        many = _replaced(many, axis, pa.array(jittered.astype(np.float32)))
    many = _replaced(many, "id", pa.array([f"{i:016x}-0" for i in range(count)]))
    many = _replaced(many, "photo_id", pa.array([f"{i:016x}" + "0" * 48 for i in range(count)]))
    many = _replaced(many, "grid_x", pa.array((np.arange(count) % side).astype(np.int32)))
    many = _replaced(many, "grid_y", pa.array((np.arange(count) // side).astype(np.int32)))
    order, units = page_order(many)
    many = many.take(pa.array(order))
    store = FilesystemBlobStore(folder)
    for name, part in zip(("points", "columns"), points_tables(many, units), strict=True):
        store.put(f"page/{name}.arrow", to_arrow(part))
    photos, facets = photo_table(many)
    store.put("page/photos.arrow", to_arrow(photos))
    if pictures:
        _write_atlases(source, store, rows[order])
    _write_details(store, count)
    about = json.loads((source / "page" / "about.json").read_text())
    about |= {
        "count": count,
        "units": units,
        "facets": facets,
        "photos": {"count": photos.num_rows, "shard": 0},
        "levels": [v for v in about["levels"] if pictures and v["name"] != "large"],
        "counts": about["counts"] | {"garments": count, "looks": 0, "photos": photos.num_rows},
    }
    store.put("page/about.json", json.dumps(about).encode())
    shutil.copytree(BUILT, folder, dirs_exist_ok=True)


def _replaced(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def _write_atlases(source: Path, store: FilesystemBlobStore, rows: np.ndarray) -> None:
    """The two coarse levels, pasted from pictures that are shrunk once."""
    import io

    import pyarrow.parquet as pq

    thumbnails = pq.read_table(source / "thumbnails.parquet")["thumbnail"]
    wanted = [thumbnails[i].as_py() for i in range(len(thumbnails))]
    originals = [Image.open(io.BytesIO(data)).convert("RGBA") for data in wanted]
    for level in LEVELS[:2]:
        small = [_shrunk(picture, level) for picture in originals]
        atlas = Atlas(store, "page/", "garment", level)
        for row in rows.tolist():
            atlas.add(small[row])
        atlas.close()


def _shrunk(picture: Image.Image, level: Level) -> Image.Image:
    from fashionmap.projection.page_atlases import fitted

    return fitted(picture, level.cell)


def _write_details(store: FilesystemBlobStore, count: int) -> None:
    """The chunk of the middle alone: enough to open a panel."""
    number = count // 2 // CHUNK
    size = min(CHUNK, count - number * CHUNK)
    near = np.tile(np.arange(NEAR, dtype=np.uint32), size)
    table = pa.table(
        {
            "bbox": pa.array([[0.0, 0.0, 9.0, 9.0]] * size, pa.list_(pa.float32(), 4)),
            "area": pa.array([81] * size, pa.int32()),
            "colours": pa.array([["#808080"]] * size),
            "colour_weights": pa.array([[1.0]] * size),
            "near": pa.FixedSizeListArray.from_arrays(pa.array(near), NEAR),
            "counts": pa.array(["1"] * size),
        }
    )
    store.put(f"page/details-{number}.arrow", to_arrow(table))


def measure(address: str, *, picking: bool) -> dict[str, float]:
    """One visit: the first picture, a drag under tracing, a pick."""
    memory = "--enable-precise-memory-info"
    with chromium(memory) as browser, tempfile.TemporaryDirectory() as folder:
        page = browser.new_page(viewport=DESKTOP)
        page.goto(address)
        page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=120_000)
        first = page.evaluate("performance.getEntriesByName('first-picture')[0].startTime")
        before = page.evaluate(
            "t => performance.getEntriesByType('resource').filter(r => r.responseEnd <= t)"
            ".reduce((sum, r) => sum + r.transferSize, 0)",
            first,
        )
        page.wait_for_timeout(2500)
        trace = Path(folder) / "trace.json"
        browser.start_tracing(page=page, path=trace, categories=["devtools.timeline"])
        frames = _drag(page)
        browser.stop_tracing()
        found = {
            "first picture ms": first,
            "MB before it": before / 1e6,
            "heap MB": page.evaluate("performance.memory.usedJSHeapSize") / 1e6,
            "frames a second": frames,
            **_script_times(trace),
        }
        if picking:
            found["right garments of 5"] = _picks(page)
        return found


def _drag(page: Any) -> float:
    """Drags for two seconds; frames a second."""
    page.evaluate(
        "() => { window.frames_seen = 0; const tick = () => { window.frames_seen++;"
        " requestAnimationFrame(tick); }; requestAnimationFrame(tick); }"
    )
    page.mouse.move(900, 450)
    page.mouse.down()
    began = page.evaluate("performance.now()")
    for step in range(50):
        page.mouse.move(900 - 6 * step, 450 + 2 * step)
        page.wait_for_timeout(25)
    lasted: float = page.evaluate("performance.now()") - began
    page.mouse.up()
    frames: float = page.evaluate("window.frames_seen")
    return frames / lasted * 1000


def _script_times(trace: Path) -> dict[str, float]:
    """Milliseconds of our callbacks a frame: animation frames and pointer events together."""
    events = json.loads(trace.read_bytes())["traceEvents"]
    named = [
        e
        for e in events
        if e.get("ph") == "X" and e["name"] in ("FireAnimationFrame", "EventDispatch")
    ]
    frames: list[float] = []
    held = 0.0
    for event in sorted(named, key=lambda e: e["ts"]):
        held += event.get("dur", 0) / 1000
        if event["name"] == "FireAnimationFrame" and event.get("dur", 0) > 100:
            frames.append(held)
            held = 0.0
    if len(frames) < 5:
        return {"script ms a frame": float("nan"), "script ms p95": float("nan")}
    return {"script ms a frame": median(frames), "script ms p95": quantiles(frames, n=20)[-1]}


def _picks(page: Any) -> float:
    """Flies to garments by their address and clicks the middle: is it them?"""
    right = 0
    base = page.url.split("#")[0]
    for number in (11, 25_000, 50_001, 75_000, 99_990):
        wanted = f"{number:016x}-0"
        page.goto("about:blank")
        page.goto(f"{base}#id={wanted}")
        page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=60_000)
        place = resting(page)
        page.keyboard.press("Escape")
        page.mouse.click(*place)
        page.wait_for_timeout(500)
        right += wanted in page.url
    return right


def _told(found: list[dict[str, float]]) -> str:
    return ", ".join(f"{name} {median(f[name] for f in found):.1f}" for name in found[0])
