"""The object store as a folder: the embedded default."""

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from fashionmap.errors import BlobNotFound, BlobTooLarge, StoreUnavailable, UsageError


class FilesystemBlobStore:
    """Objects as files under a folder; writes are atomic (a rename)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, key: str, *, most: int | None = None) -> bytes:
        """The whole object; ``BlobNotFound`` where there is none, ``BlobTooLarge`` beyond ``most``
        bytes."""
        path = self._path(key)
        try:
            if most is not None and path.stat().st_size > most:
                raise BlobTooLarge(f"{key!r} has more than the allowed {most >> 20} MB.")
            return path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise BlobNotFound(f"There is no object {key!r}.") from error
        except OSError as error:
            raise StoreUnavailable(f"{key!r} cannot be read: {error.strerror}.") from error

    def put(self, key: str, data: bytes) -> None:
        """Writes the whole object at once."""
        path = self._path(key)
        part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreUnavailable(f"{key!r} cannot be written: {error.strerror}.") from error

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Writes several objects, one after the other."""
        for key, data in objects.items():
            self.put(key, data)

    def put_file(self, key: str, path: Path) -> None:
        """Moves a local file to its key."""
        target = self._path(key)
        part = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, part)
            part.replace(target)
        except OSError as error:
            raise StoreUnavailable(f"{key!r} cannot be written: {error.strerror}.") from error

    def exists(self, key: str) -> bool:
        """Whether an object lies under the key."""
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """Removes the object; no error where there is none."""
        self._path(key).unlink(missing_ok=True)

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys with the prefix, in ascending order."""
        start = self._root / prefix.rpartition("/")[0]
        found = (
            (Path(folder) / name).relative_to(self._root).as_posix()
            for folder, _, names in os.walk(start)
            for name in names
            if not name.endswith(".part")
        )
        yield from sorted(key for key in found if key.startswith(prefix))

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not key or key.startswith("/") or any(part in ("", ".", "..") for part in parts):
            raise UsageError(f"{key!r} is no object key.")
        return self._root.joinpath(*parts)
