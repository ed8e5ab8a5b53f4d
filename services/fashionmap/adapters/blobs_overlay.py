"""A store that finds photos where they lie on the disk, and all else in another store."""

from collections.abc import Iterator
from pathlib import Path

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.errors import BlobNotFound


class InPlaceBlobStore(FilesystemBlobStore):
    """A folder store that reads originals from the user's own files: nothing is copied.

    ``remember`` names the file of an original; a few originals' bytes may be held meanwhile.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._files: dict[str, Path] = {}
        self._held: dict[str, bytes] = {}

    def remember(self, key: str, path: Path) -> None:
        """An original's key stands for this file."""
        self._files[key] = path

    def hold(self, key: str, data: bytes) -> None:
        """Keeps bytes until ``release``."""
        self._held[key] = data

    def release(self, key: str) -> None:
        """Lets the bytes go."""
        self._held.pop(key, None)

    def get(self, key: str, *, most: int | None = None) -> bytes:
        """The whole object; of an original, the file's bytes."""
        if key in self._held:
            return self._held[key]
        if key in self._files:
            try:
                return self._files[key].read_bytes()
            except OSError as error:
                raise BlobNotFound(f"{self._files[key]} cannot be read any more.") from error
        return super().get(key, most=most)

    def put(self, key: str, data: bytes) -> None:
        """Writes the object, unless it is an original that lies on the disk already."""
        if key not in self._files:
            super().put(key, data)

    def exists(self, key: str) -> bool:
        """Whether an object lies under the key."""
        return key in self._files or super().exists(key)

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys with the prefix, in ascending order."""
        own = (key for key in self._files if key.startswith(prefix))
        yield from sorted({*own, *super().keys(prefix)})
