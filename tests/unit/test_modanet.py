"""ModaNet over PaperDoll: pictures from LMDB, folder, archive and a real HTTP server."""

import gzip
import hashlib
import json
import sqlite3
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import lmdb
import pytest

from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets import modanet
from fashionmap.training.datasets.coco_form import read_coco
from fashionmap.training.datasets.download import Downloader
from fashionmap.training.datasets.modanet import convert_modanet, repair_pairs
from fashionmap.training.datasets.verify import verify_dataset
from tests.servers import free_port
from tests.unit.test_datasets import SQUARE, picture

OTHER = [70, 60, 90, 60, 90, 80, 70, 80]
NAMES = (
    *("bag", "belt", "boots", "footwear", "outer", "dress", "sunglasses", "pants", "top"),
    *("shorts", "skirt", "headwear", "scarf & tie"),
)


def annotations_file(folder: Path, numbers: tuple[int, ...] = (17, 18)) -> None:
    """``modanet2018_instances_train.json`` in its true form."""
    annotation = {"image_id": 17, "iscrowd": 0, "area": 1, "bbox": [10, 10, 50, 70]}
    document = {
        "info": {"version": "1.0", "description": "ModaNet"},
        "licenses": [{"id": 3, "name": "Attribution-NonCommercial License", "url": ""}],
        "images": [
            {"id": i, "file_name": f"{i:07d}.jpg", "width": 100, "height": 120, "license": 3}
            for i in numbers
        ],
        "categories": [
            {"id": i, "name": n, "supercategory": "fashion"} for i, n in enumerate(NAMES, 1)
        ],
        "annotations": [
            {**annotation, "id": 1, "category_id": 4, "segmentation": [SQUARE]},
            {**annotation, "id": 2, "category_id": 4, "segmentation": [OTHER]},
            {**annotation, "id": 3, "category_id": 9, "segmentation": [SQUARE]},
            {**annotation, "id": 4, "category_id": 2, "segmentation": []},
        ],
    }
    (folder / "modanet2018_instances_train.json").write_text(json.dumps(document))


def place(form: str, folder: Path, data: bytes) -> None:
    if form == "folder":
        (folder / "photos").mkdir()
        (folder / "photos" / "17.jpg").write_bytes(data)
        return
    environment = lmdb.open(str(folder / "photos.lmdb"), map_size=2**24)
    with environment, environment.begin(write=True) as transaction:
        transaction.put(b"17", data)
    if form == "archive":
        with tarfile.open(folder / "photos.lmdb.tar", "w") as archive:
            archive.add(folder / "photos.lmdb", "photos.lmdb")
        for file in (folder / "photos.lmdb").iterdir():
            file.unlink()
        (folder / "photos.lmdb").rmdir()


@pytest.mark.parametrize("form", ["lmdb", "folder", "archive"])
def test_given_modanet_when_converted_then_it_is_joined_checked_and_repaired(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "p.png")
    place(form, tmp_path, (tmp_path / "p.png").read_bytes())
    annotations_file(tmp_path)
    with pytest.raises(DatasetRejected, match="MD5"):
        convert_modanet(tmp_path, tmp_path / "out")
    file = tmp_path / modanet.TRAIN
    monkeypatch.setitem(modanet.MD5, file.name, hashlib.md5(file.read_bytes()).hexdigest())
    if form == "archive":
        with pytest.raises(DatasetRejected, match=r"photos\.lmdb\.tar is damaged.*MD5"):
            convert_modanet(tmp_path, tmp_path / "out")
    made = convert_modanet(tmp_path, tmp_path / "out", check=form != "archive")
    assert made.images == 1
    assert made.left_out == ["Photo 18: It is not among PaperDoll's pictures."]
    document = read_coco(tmp_path / "out" / "annotations.json")
    assert document["images"][0]["file_name"] == "0000017.png"
    pair = next(a for a in document["annotations"] if a["category_id"] == 4)
    assert len(document["annotations"]) == 2
    assert len(pair["segmentation"]) == 2
    assert pair["bbox"] == [10, 10, 80, 70]
    assert list(verify_dataset(tmp_path / "out")) == []


def test_given_two_people_when_repaired_then_each_pair_of_shoes_is_its_own() -> None:
    def shoe(number: int, x: float, *more: list[float]) -> dict[str, Any]:
        polygon = [x, 0, x + 5, 0, x + 5, 5]
        found = {"id": number, "image_id": 1, "category_id": 4, "bbox": [0, 0, 1, 1]}
        return {**found, "segmentation": [polygon, *more]}

    whole = shoe(9, 500, [520, 0, 525, 0, 525, 9])
    found = list(repair_pairs([shoe(1, 0), shoe(2, 200), shoe(3, 10), shoe(4, 215), whole]))
    assert sorted(a["bbox"] for a in found) == [[0, 0, 15, 5], [200, 0, 20, 5], [500, 0, 25, 9]]


def test_given_a_picture_of_another_size_when_converted_then_it_is_left_out(tmp_path: Path) -> None:
    picture(tmp_path / "photos" / "17.jpg", size=(60, 50))
    annotations_file(tmp_path, (17,))
    made = convert_modanet(tmp_path, tmp_path / "out", check=False)
    assert "not of the size" in made.left_out[0]


def test_given_no_pictures_when_converted_then_one_sentence_says_what_is_missing(
    tmp_path: Path,
) -> None:
    annotations_file(tmp_path)
    with pytest.raises(DatasetRejected, match=r"neither photos\.lmdb"):
        convert_modanet(tmp_path, tmp_path / "out", check=False)
    with pytest.raises(DatasetRejected, match=r"no chictopia\.sql\.gz"):
        convert_modanet(tmp_path, tmp_path / "out", check=False, download=True)
    (tmp_path / "chictopia.sql.gz").write_bytes(b"rubbish")
    with pytest.raises(DatasetRejected, match="no SQLite dump"):
        convert_modanet(tmp_path, tmp_path / "out", check=False, download=True)


class PhotoServer(ThreadingHTTPServer):
    """A web server as unreliable as real ones; counts what it is asked for."""

    daemon_threads = True

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", 0), PhotoHandler)
        self.data, self.asked, self.times = data, [], []  # type: ignore[var-annotated]
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class PhotoHandler(BaseHTTPRequestHandler):
    server: PhotoServer

    def do_GET(self) -> None:
        self.server.times.append(time.monotonic())
        self.server.asked.append(self.path)
        times, data = self.server.asked.count(self.path), self.server.data
        if "busy" in self.path and times == 1:
            self._answer(503, b"", {"Retry-After": "1"})
        elif "gone" in self.path:
            self._answer(404, b"")
        elif "short" in self.path and times == 1:
            self._answer(200, data[:50], {"Content-Length": str(len(data))})
        elif "page" in self.path:
            self._answer(200, b"<html>not found</html>")
        else:
            self._answer(200, data)

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PhotoServer]:
    picture(tmp_path / "p.jpg")
    with PhotoServer((tmp_path / "p.jpg").read_bytes()) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def dump(folder: Path) -> None:
    """``chictopia.sql.gz`` as SQLite's own .dump writes it, from the true schema."""
    connection = sqlite3.connect(":memory:")
    connection.execute(
        'CREATE TABLE "posts" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "title" text)'
    )
    connection.execute("INSERT INTO posts VALUES (1, 'INSERT INTO \"photos\" VALUES(1);')")
    connection.execute(
        'CREATE TABLE "photos" ("id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "post_id" integer,'
        ' "path" varchar(255) NOT NULL, "status" integer DEFAULT 0 NOT NULL, "file_file_name"'
        ' varchar(255), "file_file_size" integer, "file_content_type" varchar(255),'
        ' "file_updated_at" datetime, "width" integer, "height" integer,'
        ' "created_at" datetime NOT NULL, "updated_at" datetime NOT NULL)'
    )
    kinds = {17: "good", 18: "busy", 19: "gone", 20: "short", 21: "page", 22: "it's\na b"}
    for number, kind in kinds.items():
        row = (number, 1, f"/photos/u/{kind}_400.jpg", 2, "open-uri", 9, "image/jpeg", "", 100, 120)
        connection.execute(f"INSERT INTO photos VALUES ({','.join('?' * 12)})", (*row, "", ""))
    with gzip.open(folder / "chictopia.sql.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(connection.iterdump()))


def test_given_the_dump_when_downloaded_then_pictures_come_once_at_the_rate_and_are_checked(
    server: PhotoServer, tmp_path: Path
) -> None:
    annotations_file(tmp_path, (17, 18, 19, 20, 21, 22, 23))
    dump(tmp_path)
    settings: Any = {"check": False, "download": True, "address": server.address, "rate": 5.0}
    made = convert_modanet(tmp_path, tmp_path / "out", **settings)
    assert made.images == 4
    assert [s.split(":")[0] for s in made.left_out] == ["Photo 19", "Photo 21", "Photo 23"]
    assert sorted(set(server.asked))[:2] == ["/photos/u/busy_400.jpg", "/photos/u/gone_400.jpg"]
    gaps = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
    assert sum(gaps) > 0.9 * len(gaps) / settings["rate"]  # single gaps jitter on a busy machine
    assert max(gaps) > 0.9  # Retry-After of the busy one
    asked = len(server.asked)
    (tmp_path / "photos" / "18.jpg").unlink()
    assert convert_modanet(tmp_path, tmp_path / "out2", **settings).images == 4
    assert server.asked[asked:] == ["/photos/u/busy_400.jpg"]
    assert list(verify_dataset(tmp_path / "out2")) == []


def test_given_no_server_when_downloading_then_it_gives_up_with_a_sentence() -> None:
    downloader = Downloader(f"http://127.0.0.1:{free_port()}", rate=1000, tries=2, slowest=0.01)
    with pytest.raises(DatasetRejected, match=r"does not answer.*goes on from here"):
        downloader.fetch("/a.jpg")
    with pytest.raises(DatasetRejected, match="no address of a web server"):
        Downloader("file:///etc", rate=1)
