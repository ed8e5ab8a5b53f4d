"""PaperDoll's pictures (https://github.com/kyamagu/paperdoll) by photo id.

From its LMDB, from a folder, or downloaded into that folder by the addresses of its SQLite dump.
"""

import gzip
import hashlib
import sqlite3
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from fashionmap.errors import DatasetRejected
from fashionmap.training.datasets.download import Downloader

LMDB_TAR_MD5 = "a404789687fc3906d7d843942c802f53"
"""Of ``photos.lmdb.tar``, about 40 GB."""
ADDRESS = "http://images2.chictopia.com"
"""Before the ``path`` of a photo; images0 to images3 serve the same."""
DUMPS = ("chictopia.sql.gz", "chictopia.sql")
TABLE = "photos"


class Pictures(Protocol):
    """Encoded pictures by photo id."""

    def get(self, number: int) -> bytes | None:
        """The encoded picture, None where there is none."""


def open_pictures(
    source: Path, *, download: bool = False, address: str = ADDRESS, rate: float = 4.0, check: bool
) -> Pictures:
    """The pictures of a folder with ``photos.lmdb``, ``photos.lmdb.tar``, ``photos/`` or a dump.

    Args:
        source: The folder.
        download: Whether pictures that ``photos/`` lacks are downloaded into it.
        address: Before the paths of the dump.
        rate: Most requests a second.
        check: Whether ``photos.lmdb.tar`` must have the published MD5 sum.

    Raises:
        DatasetRejected: There is nothing of these, or the archive is damaged.
    """
    if not (source / "photos.lmdb").exists() and (source / "photos.lmdb.tar").exists():
        _unpack(source / "photos.lmdb.tar", check=check)
    if (source / "photos.lmdb").exists():
        return LmdbPictures(source / "photos.lmdb")
    folder = FolderPictures(source / "photos")
    if download:
        return DownloadedPictures(folder, photo_paths(source), Downloader(address, rate=rate))
    if not (source / "photos").is_dir():
        raise DatasetRejected(
            f"{source} has neither photos.lmdb nor photos.lmdb.tar nor a folder photos; with "
            "chictopia.sql.gz in it, --download fetches the pictures."
        )
    return folder


class LmdbPictures:
    """An LMDB environment: key = photo id in ASCII, value = the encoded picture."""

    def __init__(self, path: Path) -> None:
        import lmdb

        try:
            self._environment: Any = lmdb.open(
                str(path), map_size=2**36, readonly=True, lock=False, subdir=path.is_dir()
            )
        except lmdb.Error as error:
            raise DatasetRejected(f"{path} is no LMDB environment: {error}.") from error

    def get(self, number: int) -> bytes | None:
        """The encoded picture."""
        with self._environment.begin() as transaction:
            data: bytes | None = transaction.get(str(number).encode("ascii"))
        return data


class FolderPictures:
    """Files named by their photo id, with or without leading zeros."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, number: int) -> bytes | None:
        """The encoded picture."""
        for stem in (f"{number}", f"{number:07d}", f"{number:010d}"):
            for suffix in (".jpg", ".jpeg", ".png"):
                if (path := self.folder / (stem + suffix)).exists():
                    return path.read_bytes()
        return None


class DownloadedPictures:
    """A folder that is filled as pictures are asked for; what lies in it is not asked for again.

    What the server says is gone is written to ``gone.txt`` there, and not asked for again either.
    """

    def __init__(
        self, pictures: FolderPictures, paths: sqlite3.Connection, downloader: Downloader
    ) -> None:
        self._pictures, self._paths, self._downloader = pictures, paths, downloader
        pictures.folder.mkdir(parents=True, exist_ok=True)
        self._log = pictures.folder / "gone.txt"
        lines = self._log.read_text("utf-8").splitlines() if self._log.exists() else []
        self._gone = {int(line) for line in lines if line.isdigit()}

    def get(self, number: int) -> bytes | None:
        """The encoded picture, from the folder or else from the server."""
        data = self._pictures.get(number)
        if data is not None or number in self._gone:
            return data
        row = self._paths.execute("SELECT path FROM photos WHERE id = ?", (number,)).fetchone()
        data = self._downloader.fetch(str(row[0])) if row else None
        if data is None:
            self._gone.add(number)
            with self._log.open("a", encoding="utf-8") as file:
                file.write(f"{number}\n")
            return None
        part = self._pictures.folder / f"{number}.part"
        part.write_bytes(data)
        part.replace(self._pictures.folder / f"{number}.jpg")
        return data


def photo_paths(source: Path) -> sqlite3.Connection:
    """The table ``photos`` of PaperDoll's SQLite dump, in memory: ``id`` and ``path``.

    Only statements that make and fill that table are executed.
    """
    path = next((p for name in DUMPS if (p := source / name).exists()), None)
    if path is None:
        raise DatasetRejected(f"{source} has no chictopia.sql.gz to take addresses from.")
    connection = sqlite3.connect(":memory:")
    try:
        with _open(path) as file:
            for statement in _statements(file):
                connection.execute(statement)
        connection.execute("SELECT id, path FROM photos LIMIT 1")
    except (OSError, EOFError, UnicodeDecodeError, sqlite3.Error) as error:
        raise DatasetRejected(f"{path} is no SQLite dump with a table photos: {error}.") from error
    return connection


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _statements(lines: IO[str]) -> Iterator[str]:
    """Whole statements about the table; a text may hold line breaks."""
    held = ""
    for line in lines:
        if not held and not _about_photos(line):
            continue
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""


def _about_photos(line: str) -> bool:
    start = line.lstrip()
    for verb in ("CREATE TABLE ", "INSERT INTO ", "CREATE TABLE IF NOT EXISTS "):
        if start.upper().startswith(verb):
            rest = start[len(verb) :].lstrip()
            name = rest.split("(")[0].split()[0] if rest.split("(")[0].split() else ""
            if name.strip("\"'`[]").lower() == TABLE:
                return True
    return False


def _unpack(path: Path, *, check: bool) -> None:
    if check and md5_of(path) != LMDB_TAR_MD5:
        raise DatasetRejected(f"{path} is damaged: its MD5 sum is not the published one.")
    try:
        with tarfile.open(path) as archive:
            archive.extractall(path.parent, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise DatasetRejected(f"{path} cannot be unpacked: {error}.") from error


def md5_of(path: Path) -> str:
    """MD5 sum of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
