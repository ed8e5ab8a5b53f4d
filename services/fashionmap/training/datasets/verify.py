"""What is wrong with a data set."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, islice
from pathlib import Path

from fashionmap.domain.taxonomy import TAXONOMIES
from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.alike import alike
from fashionmap.training.datasets.coco_form import (
    SUMS,
    JsonObject,
    read_coco,
    read_json,
    sha256_of,
)
from fashionmap.training.datasets.pictures import Look, look_at
from fashionmap.training.datasets.shapes import shape_faults

PARTS = ("train", "val", "test")
READERS, AHEAD = 4, 64


def verify_dataset(folder: Path) -> Iterator[str]:
    """Everything that is wrong, a sentence each; nothing where all is well.

    Checks documents (checksums, taxonomy), ids (doubled, unknown), polygons (empty, self-crossing,
    out of bounds), boxes against masks, pictures (missing, unreadable, of another size, not of
    their checksum), and pictures that are the same or nearly on two sides of a split.

    Of the pictures only hashes and 16 × 16 thumbnails stay in memory, about 2 KB each.
    """
    document = read_coco(folder / "annotations.json")
    yield from _documents(folder, document)
    yield from _ids(document)
    yield from _annotations(document)
    sizes = {str(i["file_name"]): (i["height"], i["width"]) for i in document["images"]}
    del document
    looks: dict[str, Look] = {}
    yield from _pictures(folder, sizes, looks)
    yield from _across(folder, looks)


def _documents(folder: Path, document: JsonObject) -> Iterator[str]:
    path = folder / "dataset.json"
    if not path.exists():
        yield "dataset.json is missing."
        return
    about = read_json(path)
    for name, digest in about.get("sha256", {}).items():
        if not (folder / name).exists():
            yield f"{name} is missing."
        elif sha256_of(folder / name) != digest:
            yield f"{name} does not fit its checksum."
    known = TAXONOMIES.get(str(about.get("taxonomy")))
    names = [c["name"] for c in sorted(document["categories"], key=lambda c: c["id"])]
    if known is not None and names != list(known.categories):
        yield f"The categories are not those of the taxonomy {known.name!r}."


def _ids(document: JsonObject) -> Iterator[str]:
    for kind in ("images", "annotations", "categories"):
        for number, times in Counter(x.get("id") for x in document[kind]).items():
            if times > 1:
                yield f"Id {number} stands {times} times among the {kind}."
    for name, times in Counter(i["file_name"] for i in document["images"]).items():
        if times > 1:
            yield f"Picture {name} stands {times} times among the images."


def _annotations(document: JsonObject) -> Iterator[str]:
    images = {i["id"]: i for i in document["images"]}
    categories = {c["id"] for c in document["categories"]}
    for annotation in document["annotations"]:
        name = f"Annotation {annotation.get('id')}"
        if annotation.get("category_id") not in categories:
            yield f"{name} has an unknown category {annotation.get('category_id')}."
        image = images.get(annotation.get("image_id"))
        if image is None:
            yield f"{name} is of an unknown image {annotation.get('image_id')}."
            continue
        for fault in shape_faults(annotation, height=image["height"], width=image["width"]):
            yield f"{name} {fault}"


def _pictures(
    folder: Path, sizes: dict[str, tuple[int, int]], looks: dict[str, Look]
) -> Iterator[str]:
    """Looks at each picture once; fills ``looks`` with those that can be read."""
    sums = _sums(folder)
    for name, seen in _seen(folder / "images", list(sizes)):
        if isinstance(seen, str):
            yield f"Picture {name} {seen}"
            continue
        looks[name] = seen
        if seen.size != sizes[name]:
            yield f"Picture {name} is not of the size that is written."
        if sums and sums.get(name) != seen.sha256:
            yield f"Picture {name} does not fit its checksum."


def _seen(folder: Path, names: list[str]) -> Iterator[tuple[str, Look | str]]:
    """Names with looks, or with what is wrong; a few pictures are read ahead in threads."""

    def see(name: str) -> tuple[str, Look | str]:
        try:
            return name, look_at((folder / name).read_bytes())
        except OSError:
            return name, "is missing."
        except DatasetRejected as error:
            return name, f"cannot be read. {error}"

    with ThreadPoolExecutor(READERS) as pool:
        left = iter(names)
        while chunk := list(islice(left, AHEAD)):
            yield from pool.map(see, chunk)


def _sums(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    if not path.exists():
        return {}
    lines = (line.split("  ", 1) for line in path.read_text("utf-8").splitlines())
    return {name.removeprefix("images/"): digest for digest, name in lines}


def _across(folder: Path, looks: dict[str, Look]) -> Iterator[str]:
    """Pictures of one part that are the same as one of another, or nearly."""
    parts = {
        part: {str(i["file_name"]) for i in read_coco(path)["images"]}
        for part in PARTS
        if (path := folder / f"{part}.json").exists()
    }
    for one, other in combinations(parts, 2):
        for name in sorted(parts[one] & parts[other]):
            yield f"Picture {name} is in {one} and in {other}."
        sides = [{n: looks[n] for n in sorted(parts[p]) if n in looks} for p in (one, other)]
        for left, right, equal in alike(*sides):
            if left != right:
                how = "the same" if equal else "alike"
                yield f"Pictures {left} ({one}) and {right} ({other}) are {how}."
