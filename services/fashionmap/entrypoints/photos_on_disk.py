"""What the user gave on the command line, as a list of photo files."""

import csv
import glob
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fashionmap.adapters.photo_decoder import SUFFIXES
from fashionmap.domain.photo import MetadataValue
from fashionmap.errors import UsageError


@dataclass(frozen=True)
class PhotoFile:
    """A file and the name to show for it (relative to the folder that was given)."""

    path: Path
    name: str


def find_photos(arguments: Sequence[str]) -> list[PhotoFile]:
    """Photos of folders (recursively), files and globs, in a stable order, each path once.

    Files named outright are taken whatever their ending; in folders the ending decides.

    Raises:
        UsageError: Something does not exist, or there is no picture at all.
    """
    found: dict[Path, PhotoFile] = {}
    for argument in arguments:
        for photo in _expand(argument):
            found.setdefault(photo.path.absolute(), photo)
    if not found:
        given = ", ".join(arguments)
        raise UsageError(f"There is no picture (JPEG, PNG, WebP, TIFF, HEIC, AVIF) in {given}.")
    return list(found.values())


def _expand(argument: str) -> Iterable[PhotoFile]:
    path = Path(argument)
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return [PhotoFile(path, path.name)]
    found = glob.glob(argument, recursive=True)  # noqa: PTH207
    matches = [Path(match) for match in sorted(found)]
    if not matches:
        raise UsageError(f"{argument} does not exist.")
    files = [PhotoFile(m, m.name) for m in matches if m.is_file()]
    return [*files, *(photo for m in matches if m.is_dir() for photo in _folder(m))]


def _folder(folder: Path) -> list[PhotoFile]:
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    return [PhotoFile(p, p.relative_to(folder).as_posix()) for p in files]


def read_metadata(path: Path | None) -> dict[str, dict[str, MetadataValue]]:
    """Metadata by file name: a CSV with a column ``file_name``, or a JSON object or list.

    CSV fields that look like numbers become numbers; empty ones are left out.
    """
    if path is None:
        return {}
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text.") from error
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text)
    return {str(row.pop("file_name")): row for row in rows}


def _csv_rows(path: Path, text: str) -> list[dict[str, MetadataValue]]:
    reader = csv.DictReader(text.splitlines())
    if "file_name" not in (reader.fieldnames or []):
        raise UsageError(f"{path} has no column file_name.")
    rows = []
    for line in reader:
        row: dict[str, MetadataValue] = {
            k: _number(v) for k, v in line.items() if k and isinstance(v, str) and v != ""
        }
        rows.append({**row, "file_name": line["file_name"]})
    return rows


def _json_rows(path: Path, text: str) -> list[dict[str, MetadataValue]]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}.") from error
    if isinstance(document, dict):
        document = [{**fields, "file_name": name} for name, fields in document.items()]
    if not all(isinstance(row, dict) and "file_name" in row for row in document):
        raise UsageError(f"{path} does not name a file_name for each photo.")
    scalar = (str, int, float, bool)
    return [{k: v for k, v in row.items() if isinstance(v, scalar)} for row in document]


def _number(text: str) -> MetadataValue:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if str(value) == text or kind is float else text
    return text
