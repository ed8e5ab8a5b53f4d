"""A collection as one file: a tar of its objects, and last a manifest of their hashes."""

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fashionmap import __version__
from fashionmap.domain import keys
from fashionmap.errors import BackupRejected, BlobNotFound, CollectionNotFound, UsageError
from fashionmap.ports import BlobStore

MANIFEST = "fashionmap-backup.json"
FORMAT = 1
TOGETHER, MOST_TOGETHER = 64, 16 << 20
"""Objects, and bytes of them, that go back in one call."""


@dataclass(frozen=True)
class Contents:
    """What a backup holds.

    Attributes:
        collection: Its collection.
        hashes: SHA-256 by object name below the collection's prefix.
    """

    collection: str
    hashes: dict[str, str]


def backup(
    blobs: BlobStore, collection: str, path: Path, *, advance: Callable[[int], None]
) -> Contents:
    """Writes a collection's photos, masks, vectors, maps and failures into a tar.

    Stages may go on working: each object is whole, and what comes meanwhile is not in it.

    Raises:
        CollectionNotFound: Nothing lies in the collection.
        UsageError: The file cannot be written.
    """
    prefix = keys.collection(collection)
    hashes: dict[str, str] = {}
    part = path.with_name(path.name + ".part")
    try:
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:
            for key in blobs.keys(prefix):
                try:
                    data = blobs.get(key)
                except BlobNotFound:
                    continue  # a failure that was mended meanwhile
                name = key.removeprefix(prefix)
                hashes[name] = hashlib.sha256(data).hexdigest()
                _add(tar, name, data)
                advance(1)
            _add(tar, MANIFEST, _manifest(collection, hashes))
        if not hashes:
            raise CollectionNotFound(f"Nothing was ever offered to a collection {collection!r}.")
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    return Contents(collection, hashes)


def check_backup(path: Path) -> Contents:
    """Reads a backup whole; ``BackupRejected`` unless each object fits its hash and none lacks."""
    found: dict[str, str] = {}
    manifest = b""
    for name, data in _members(path):
        if name == MANIFEST:
            manifest = data
        else:
            found[name] = hashlib.sha256(data).hexdigest()
    try:
        record = json.loads(manifest)
        contents = Contents(keys.check_collection(record["collection"]), dict(record["sha256"]))
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise BackupRejected(f"{path} is no whole backup: its manifest is missing.") from error
    if found != contents.hashes:
        wrong = {n for n in {*found, *contents.hashes} if found.get(n) != contents.hashes.get(n)}
        raise BackupRejected(f"{path} is damaged: {len(wrong):,} objects do not fit their hashes.")
    return contents


def restore(
    blobs: BlobStore, path: Path, *, overwrite: bool = False, advance: Callable[[int], None]
) -> Contents:
    """Puts a backup's objects back, after all of it was checked.

    Each map's ``map.json`` and the newest map's name come last: nobody sees half a map.

    Raises:
        BackupRejected: The file is damaged or no backup; nothing was written.
        UsageError: The collection exists and ``overwrite`` is not set.
    """
    contents = check_backup(path)
    prefix = keys.collection(contents.collection)
    if not overwrite and next(iter(blobs.keys(prefix)), None) is not None:
        raise UsageError(f"Collection {contents.collection!r} exists; --overwrite writes into it.")
    last: list[tuple[str, bytes]] = []
    held: dict[str, bytes] = {}

    def put_held() -> None:
        blobs.put_all(held)
        advance(len(held))
        held.clear()

    for name, data in _members(path):
        if name == MANIFEST:
            continue
        if name.rpartition("/")[2] in ("newest.json", "map.json"):
            last.append((name, data))
            continue
        held[prefix + name] = data
        if len(held) == TOGETHER or sum(map(len, held.values())) > MOST_TOGETHER:
            put_held()
    put_held()
    for name, data in sorted(last):  # "maps/newest.json" after every "maps/{version}/map.json"
        blobs.put(prefix + name, data)
        advance(1)
    return contents


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(data), int(time.time()), 0o644
    tar.addfile(entry, io.BytesIO(data))


def _manifest(collection: str, hashes: dict[str, str]) -> bytes:
    record = {
        "format": FORMAT,
        "fashionmap": __version__,
        "collection": collection,
        "sha256": hashes,
    }
    return json.dumps(record, sort_keys=True).encode()


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the tar's files; ``BackupRejected`` where it is no whole tar."""
    try:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                file = tar.extractfile(entry)
                if file is None or ".." in entry.name.split("/") or entry.name.startswith("/"):
                    raise BackupRejected(f"{path} holds {entry.name!r}, which no backup does.")
                yield entry.name, file.read()
    except (tarfile.TarError, EOFError) as error:
        raise BackupRejected(f"{path} is no whole backup: {error}.") from error
    except OSError as error:
        raise BackupRejected(f"{path} cannot be read: {error.strerror}.") from error
