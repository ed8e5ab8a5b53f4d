"""An object store in which an ``https://…`` address is a key that can be read."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from fashionmap.adapters.photo_fetcher import PhotoFetcher
from fashionmap.domain.keys import is_address
from fashionmap.domain.photo import MOST_BYTES
from fashionmap.ports import BlobStore


class AddressedBlobStore:
    """Another store, with photos by address."""

    def __init__(self, blobs: BlobStore, fetcher: PhotoFetcher) -> None:
        self._blobs, self._fetcher = blobs, fetcher

    def get(self, key: str, *, most: int | None = None) -> bytes:
        """The object, or what the address gives."""
        if is_address(key):
            return self._fetcher.get(key, most=MOST_BYTES if most is None else most)
        return self._blobs.get(key, most=most)

    def put(self, key: str, data: bytes) -> None:
        """Writes to the store."""
        self._blobs.put(key, data)

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Writes several objects to the store."""
        self._blobs.put_all(objects)

    def put_file(self, key: str, path: Path) -> None:
        """Writes a file to the store."""
        self._blobs.put_file(key, path)

    def exists(self, key: str) -> bool:
        """Whether an object lies in the store."""
        return self._blobs.exists(key)

    def delete(self, key: str) -> None:
        """Removes an object of the store."""
        self._blobs.delete(key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys of the store."""
        return self._blobs.keys(prefix)
