"""The commands, as a user runs them, embedded form."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image
from pycocotools.coco import COCO

from tests.processes import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "services"), "OMP_NUM_THREADS": "2"}


def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "fashionmap", *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def made(looks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of twelve looks, one of them twice, and what is no photo; with metadata."""
    photos = tmp_path_factory.mktemp("photos")
    for path in (looks / "images").iterdir():
        (photos / path.name).write_bytes(path.read_bytes())
    (photos / "zwilling ü.jpg").write_bytes((looks / "images" / "000001.jpg").read_bytes())
    (photos / "broken.jpg").write_bytes(b"no picture at all")
    Image.new("RGB", (300, 450), "white").save(photos / "empty wall.png")
    (photos.parent / "about.csv").write_text("file_name,brand,year\n000001.jpg,A & B,2019\n")
    out = tmp_path_factory.mktemp("maps") / "map"
    about = str(photos.parent / "about.csv")
    run("map", str(photos), "--out", str(out), "--unit", "both", "--metadata", about)
    (out.parent / "photos").symlink_to(photos)
    return out


def test_given_photos_when_mapped_then_everything_is_there(made: Path) -> None:
    summary = json.loads((made / "map.json").read_text())
    assert summary["counts"]["photos"] == 13
    assert summary["counts"]["duplicates"] == 1
    assert summary["counts"]["looks"] == 13 - summary["counts"]["no_garments"]
    assert [r["file_name"] for r in summary["rejected"]] == ["broken.jpg"]
    table = pandas.read_parquet(made / "garments.parquet")
    assert len(table) == summary["counts"]["garments"] + summary["counts"]["looks"]
    assert table["id"].is_unique
    assert set(table[table["file_name"] == "000001.jpg"]["brand"]) == {"A & B"}
    assert set(table["year"].dropna()) == {2019}
    for unit, rows in table.groupby("unit"):
        assert not rows.duplicated(["grid_x", "grid_y"]).any(), unit
    vectors = np.stack(pandas.read_parquet(made / "vectors.parquet")["vector"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for name in ("poster.png", "grid.png", "poster-look.png", "grid-look.png"):
        with Image.open(made / name) as image:
            assert image.width > 300
    page = (made / "index.html").read_text()
    assert "poster.png" in page
    assert "://" not in page  # nothing is asked of another host


def test_given_a_map_when_read_by_pycocotools_then_it_is_coco(made: Path, capsys) -> None:
    coco = COCO(made / "annotations.json")
    table = pandas.read_parquet(made / "garments.parquet").set_index("id")
    garments = table[table["unit"] == "garment"]
    assert len(coco.anns) == len(garments)
    for annotation in coco.anns.values():
        row = garments.loc[annotation["garment_id"]]
        assert coco.annToMask(annotation).sum() == annotation["area"] == row["area"]
        assert coco.cats[annotation["category_id"]]["name"] == row["category"]
        assert 0 < annotation["score"] <= 1


def test_given_a_map_when_made_again_then_no_model_works_and_nothing_changes(made: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in made.iterdir() if p.is_file()}
    photos = str(made.parent / "photos")
    about = str((made.parent / "photos").resolve().parent / "about.csv")
    run("map", photos, "--out", str(made), "--unit", "both", "--metadata", about)
    seen = {p: p.stat().st_mtime_ns for p in made.iterdir() if p.is_file()}
    if seen != before:  # the symlinked folder has other paths: files are read anew, models are not
        state = made / ".fashionmap" / "collections"
        changed = [p for p in state.rglob("*.arrow") if p.stat().st_mtime_ns > max(before.values())]
        assert not changed


def test_given_a_garment_when_asked_for_neighbours_then_the_nearest_come_first(made: Path) -> None:
    garment = pandas.read_parquet(made / "garments.parquet")["id"][0]
    lines = run("neighbours", str(made), garment, "--count", "4").stdout.splitlines()
    distances = [float(line.split("\t")[1]) for line in lines]
    assert len(lines) == 4
    assert distances == sorted(distances)


def test_given_a_run_when_stopped_then_resume_goes_on(looks: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "fashionmap",
        "map",
        str(looks / "images"),
        "--out",
        str(tmp_path / "m"),
    ]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE)
    state = tmp_path / "m" / ".fashionmap"
    deadline = time.monotonic() + 120
    while not list(state.rglob("*.arrow")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    done = {p: p.stat().st_mtime_ns for p in state.rglob("*.arrow")}
    if process.returncode == 130:
        assert b"--resume" in told
    run("map", str(looks / "images"), "--out", str(tmp_path / "m"), "--resume")
    assert all(p.stat().st_mtime_ns == t for p, t in done.items())
    assert json.loads((tmp_path / "m" / "map.json").read_text())["counts"]["photos"] == 12


def test_given_single_steps_when_run_then_each_writes_what_it_says(
    looks: Path, tmp_path: Path
) -> None:
    photos = str(looks / "images" / "00000[12].jpg")
    run("segment", photos, "--out", str(tmp_path / "s.json"))
    document = json.loads((tmp_path / "s.json").read_text())
    assert [i["file_name"] for i in document["images"]] == ["000001.jpg", "000002.jpg"]
    assert {"segmentation", "bbox", "score"} <= set(document["annotations"][0])
    run("embed", str(looks / "images"), "--out", str(tmp_path / "v.npz"))
    with np.load(tmp_path / "v.npz") as file:
        assert file["vectors"].shape == (12, 256)
        assert file["vectors"].dtype == np.float32
        assert file["names"][0] == "000001.jpg"
    run("project", str(tmp_path / "v.npz"), "--out", str(tmp_path / "m.npz"), "--seed", "3")
    with np.load(tmp_path / "m.npz") as file:
        assert file["coordinates"].shape == (12, 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("map", "{empty}", "--out", "{out}"), "There is no picture"),
        (("map", "{missing}", "--out", "{out}"), "does not exist"),
        (("map", "{looks}", "--out", "{full}"), "holds other things"),
        (("map", "{looks}", "--out", "{out}", "--resume"), "nothing to resume"),
        (("map", "{looks}", "--out", "{out}", "--segmenter", "x"), "no segmenter 'x'"),
        (("map", "{looks}", "--out", "{out}", "--embedder", "x"), "no embedder 'x'"),
        (("map", "{looks}", "--out", "{out}", "--segmenter", "{bad}"), "no safetensors"),
        (("project", "{missing}", "--out", "{out}"), "does not exist"),
        (("neighbours", "{empty}", "x"), "holds no map"),
        (("serve", "elephant"), "neither a service"),
    ],
    ids=lambda v: v if isinstance(v, str) else v[0],
)
def test_given_wrong_use_when_run_then_one_sentence_says_what_is_wrong(
    arguments: tuple[str, ...], words: str, looks: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "bad.safetensors").write_bytes(b"12345678rubbish")
    names = {"empty", "missing", "out", "full"}
    places = {name: str(tmp_path / name) for name in names}
    places |= {"looks": str(looks / "images"), "bad": str(tmp_path / "bad.safetensors")}
    done = subprocess.run(
        [sys.executable, "-m", "fashionmap", *(a.format(**places) for a in arguments)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (1, 2)
    assert words in done.stderr
    told = [line for line in done.stderr.splitlines() if not line.endswith("…")]
    assert len(told) == 1, done.stderr


def test_given_the_hostile_set_when_mapped_then_nobody_dies(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "hostile-images"
    files = [str(p) for p in sorted(folder.iterdir())]
    run("map", *files, "--out", str(tmp_path / "m"))
    summary = json.loads((tmp_path / "m" / "map.json").read_text())
    told = summary["counts"]
    assert told["photos"] + told["rejected"] + told["duplicates"] == len(files)
    assert all(r["reason"].endswith(".") for r in summary["rejected"])


def test_given_one_garment_when_mapped_then_there_is_a_map(looks: Path, tmp_path: Path) -> None:
    run("map", str(looks / "images" / "000004.jpg"), "--out", str(tmp_path / "m"), "--unit", "look")
    assert json.loads((tmp_path / "m" / "map.json").read_text())["counts"]["looks"] == 1
