"""Collections, their maps, and a map's files out of the object store."""

import mimetypes
import re
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException

from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes
from fashionmap.errors import BlobNotFound, CollectionNotFound
from fashionmap.explorer.backend import Store

PAGE = Path(__file__).parent / "static"
"""Where ``make page`` puts the built page."""
ROOT = "collections/"
MOST_MAPS = 12
_PATH = re.compile(r"(?:page/)?[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
mimetypes.add_type("application/vnd.apache.arrow.file", ".arrow")
mimetypes.add_type("application/vnd.apache.parquet", ".parquet")
mimetypes.add_type("image/webp", ".webp")


def collections(store: Store) -> list[dict[str, Any]]:
    """Every collection with its newest map (``""`` where it has none yet)."""
    return [{"name": name, "newest": newest_of(store, name)} for name in store.folders(ROOT)]


def maps_of(store: Store, collection: str) -> dict[str, Any]:
    """A collection's maps, the newest first."""
    newest = newest_of(store, collection)
    if not any(store.folders(keys.collection(collection))):
        raise CollectionNotFound(f"There is no collection {collection!r}.")
    found = []
    for version in store.folders(keys.maps(collection)):
        try:
            summary = from_bytes(store.get(keys.map_version(collection, version) + "map.json"))
        except BlobNotFound:
            continue  # it is being built
        wanted = {k: summary.get(k) for k in ("created", "counts", "unit")}
        found.append({"version": version, **wanted})
    found.sort(key=lambda one: (one["version"] == newest, one["created"] or ""), reverse=True)
    return {"name": collection, "newest": newest, "maps": found[:MOST_MAPS]}


def newest_of(store: Store, collection: str) -> str:
    """Version of the newest map, ``""`` where there is none."""
    try:
        return str(from_bytes(store.get(keys.newest_map(collection)))["version"])
    except BlobNotFound:
        return ""


def map_file(store: Store, collection: str, version: str, path: str) -> tuple[bytes, str]:
    """A file of a map, and its media type."""
    if not _PATH.fullmatch(path):
        raise HTTPException(404, "There is no such file.")
    data = store.get(prefix_of(collection, version) + path)
    return data, mimetypes.guess_type(path)[0] or "application/octet-stream"


def prefix_of(collection: str, version: str) -> str:
    """Key prefix of a map whose name came from outside."""
    if not _VERSION.fullmatch(version):
        raise HTTPException(404, "There is no such map.")
    return keys.map_version(collection, version)
