"""Small previews of the photos, a few in one file."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from fashionmap.adapters.previews import preview_of
from fashionmap.errors import PermanentError
from fashionmap.ports import BlobStore
from fashionmap.projection.page_columns import to_arrow

SHARD = 16
"""Previews in a file."""
PhotoBytes = Callable[[str], bytes]
"""A photo's bytes by its id."""


def write_previews(
    store: BlobStore, prefix: str, photo_ids: Sequence[str], photos: PhotoBytes
) -> None:
    """Writes ``photos-{number}.arrow``; a photo that cannot be read any more has no bytes."""
    for number, first in enumerate(range(0, len(photo_ids), SHARD)):
        shown = [_preview(photos, photo) for photo in photo_ids[first : first + SHARD]]
        table = pa.table({"preview": pa.array(shown, pa.binary())})
        store.put(f"{prefix}photos-{number}.arrow", to_arrow(table))


def _preview(photos: PhotoBytes, photo_id: str) -> bytes:
    try:
        return preview_of(photos(photo_id))
    except PermanentError:
        return b""
