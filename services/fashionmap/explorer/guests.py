"""Units that were placed on a map after it was built, and what the page shows of single photos."""

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from starlette.exceptions import HTTPException

from fashionmap.adapters.previews import preview_of
from fashionmap.adapters.units_table import units_from_bytes
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, stamp_from_json
from fashionmap.errors import BlobNotFound
from fashionmap.explorer.backend import Peers, Store
from fashionmap.explorer.maps import prefix_of

MOST_PHOTOS = 2000
"""Photos whose units are given at once."""
NEAR = 24
_PHOTO = re.compile(r"[0-9a-f]{64}")
_COLUMNS = ("id", "photo_id", "file_name", "unit", "category", "score", "thumbnail")


class Guests:
    """Reads placed units; remembers what it read, since a placed unit never changes."""

    def __init__(self, store: Store, peers: Peers, *, remember: int = 4096) -> None:
        self._store, self._peers, self._most = store, peers, remember
        self._read: OrderedDict[tuple[str, str, str], pa.Table] = OrderedDict()

    def placed(self, collection: str, version: str, photos: Sequence[str]) -> bytes:
        """Units as an Arrow file: ``id``, ``photo_id``, ``file_name``, ``unit``, ``category``,
        ``score``, ``x``, ``y``, ``colour`` and ``thumbnail`` (WebP).

        Args:
            collection: The collection.
            version: The map.
            photos: Whose units are wanted; none for all, up to 2,000 photos.
        """
        prefix = prefix_of(collection, version) + "placed/"
        wanted = [check_photo(photo) for photo in photos]
        if not wanted:
            found = self._store.keys(prefix)
            wanted = [key.removeprefix(prefix).removesuffix(".json") for key in found]
        tables = [self._one(collection, version, photo) for photo in wanted[:MOST_PHOTOS]]
        table = pa.concat_tables([t for t in tables if t is not None] or [_empty()])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        data: bytes = sink.getvalue().to_pybytes()
        return data

    def preview(self, collection: str, photo: str) -> bytes:
        """A photo as a small WebP."""
        return preview_of(self._store.get(keys.original(collection, check_photo(photo))))

    def unit(self, collection: str, version: str, photo: str, unit: str) -> dict[str, Any]:
        """Mask, box, colours and neighbours of one unit of a photo."""
        table = self._document(collection, version, check_photo(photo))
        rows = [row for row in table.to_pylist() if row["id"] == unit]
        if not rows:
            raise BlobNotFound(f"There is no garment {unit!r} on that photo.")
        row = rows[0]
        near, _, _ = self._peers.neighbours(collection, version, row["vector"], count=NEAR)
        colours = zip(row["colours"], row["colour_weights"], strict=True)
        return {
            "bbox": row["bbox"],
            "area": row["area"],
            "counts": row["counts"],
            "width": row["photo_width"],
            "height": row["photo_height"],
            "colours": [{"hex": colour, "share": share} for colour, share in colours],
            "near": [other for other in near if other != unit],
        }

    def _one(self, collection: str, version: str, photo: str) -> pa.Table | None:
        name = (collection, version, photo)
        if name not in self._read:
            table = self._join(collection, version, photo)
            if table is None:
                return None
            self._read[name] = table
            if len(self._read) > self._most:
                self._read.popitem(last=False)
        return self._read[name]

    def _join(self, collection: str, version: str, photo: str) -> pa.Table | None:
        """Places from the map, all else from the photo's own document."""
        try:
            record = from_bytes(self._store.get(keys.placed(collection, version, photo)))
            document = self._document(collection, version, photo)
        except BlobNotFound:
            return None
        places = {unit["id"]: (unit["x"], unit["y"]) for unit in record}
        rows = [
            {
                **{name: row[name] for name in _COLUMNS},
                "x": places[row["id"]][0],
                "y": places[row["id"]][1],
                "colour": row["colours"][0] if row["colours"] else "#808080",
            }
            for row in document.to_pylist()
            if row["id"] in places
        ]
        return pa.Table.from_pylist(rows, schema=_empty().schema)

    def _document(self, collection: str, version: str, photo: str) -> pa.Table:
        """The photo's embedding document by the models of the map."""
        summary = from_bytes(self._store.get(prefix_of(collection, version) + "map.json"))
        models = [stamp_from_json(summary[name]) for name in ("segmenter", "embedder")]
        return units_from_bytes(self._store.get(keys.embeddings(collection, photo, *models)))


def check_photo(photo: str) -> str:
    """A photo's id that came from outside."""
    if not _PHOTO.fullmatch(photo):
        raise HTTPException(404, "There is no such photo.")
    return photo


def _empty() -> pa.Table:
    texts = [(n, pa.string()) for n in ("id", "photo_id", "file_name", "unit", "category")]
    numbers = [(n, pa.float32()) for n in ("score", "x", "y")]
    rest = [("colour", pa.string()), ("thumbnail", pa.binary())]
    return pa.schema([*texts, *numbers, *rest]).empty_table()
