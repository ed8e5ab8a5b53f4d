"""Which file is which photo, so that an unchanged file is never read again."""

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Seen:
    """A file as it was when it was last read.

    Attributes:
        size: Bytes.
        modified: Time of last change in nanoseconds.
        photo_id: SHA-256 of the bytes, ``""`` where the file was refused.
        reason: Why it was refused, ``""`` where it was not.
    """

    size: int
    modified: int
    photo_id: str
    reason: str


class Catalogue:
    """Files by path with size and time of change, kept as one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._saved = time.monotonic()
        self._files = self._load()

    def find(self, path: Path) -> Seen | None:
        """What is known of the file, None where it is new or has changed."""
        seen = self._files.get(str(path.absolute()))
        if seen is None:
            return None
        try:
            now = path.stat()
        except OSError:
            return seen if seen.reason else None
        return seen if (now.st_size, now.st_mtime_ns) == (seen.size, seen.modified) else None

    def accept(self, path: Path, photo_id: str) -> None:
        """The file is this photo."""
        self._note(path, photo_id, "")

    def refuse(self, path: Path, reason: str) -> None:
        """The file is no photo that is read."""
        self._note(path, "", reason)

    def save(self, *, after_seconds: float = 0.0) -> None:
        """Writes the catalogue, if the last time is so long ago."""
        if time.monotonic() - self._saved < after_seconds:
            return
        with self._lock:
            text = json.dumps({k: list(v.__dict__.values()) for k, v in self._files.items()})
        part = self._path.with_name(self._path.name + ".part")
        part.write_text(text, "utf-8")
        part.replace(self._path)
        self._saved = time.monotonic()

    def _note(self, path: Path, photo_id: str, reason: str) -> None:
        try:
            now = path.stat()
            seen = Seen(now.st_size, now.st_mtime_ns, photo_id, reason)
        except OSError:
            seen = Seen(-1, -1, photo_id, reason)
        with self._lock:
            self._files[str(path.absolute())] = seen

    def _load(self) -> dict[str, Seen]:
        try:
            stored = json.loads(self._path.read_text("utf-8"))
            return {name: Seen(*fields) for name, fields in stored.items()}
        except (OSError, ValueError, TypeError):
            return {}
