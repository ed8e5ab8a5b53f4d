"""What a batch fetches ahead: once each, in bounds, and errors only for whom they concern."""

from pathlib import Path

import pytest

from fashionmap import fetching
from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.errors import BlobNotFound, StoreUnavailable
from fashionmap.fetching import Fetched


class Shelf(FilesystemBlobStore):
    """A folder that notes what is taken, and may be away."""

    def __init__(self, folder: Path, **objects: bytes) -> None:
        super().__init__(folder)
        self.taken: list[str] = []
        self.away = False
        self.put_all(objects)

    def get(self, key: str, *, most: int | None = None) -> bytes:
        """As of any store."""
        self.taken.append(key)
        if self.away:
            raise StoreUnavailable("away")
        return super().get(key, most=most)


def test_given_keys_when_fetched_then_each_is_taken_from_the_store_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a=b"1", b=b"2")
    ahead = Fetched(shelf, ["a", "b", "a"])
    assert shelf.taken == ["a", "b"]
    assert (ahead.take("b"), ahead.take("a")) == (b"2", b"1")
    assert shelf.taken == ["a", "b"]


def test_given_an_object_that_was_taken_when_taken_again_then_the_store_is_asked(
    tmp_path: Path,
) -> None:
    shelf = Shelf(tmp_path, a=b"1")
    ahead = Fetched(shelf, ["a"])
    assert [ahead.take("a"), ahead.take("a")] == [b"1", b"1"]
    assert shelf.taken == ["a", "a"]


def test_given_a_key_that_points_nowhere_when_fetched_then_who_takes_it_hears(
    tmp_path: Path,
) -> None:
    ahead = Fetched(Shelf(tmp_path, b=b"2"), ["a", "b"])
    assert ahead.take("b") == b"2"
    with pytest.raises(BlobNotFound, match="'a'"):
        ahead.take("a")


def test_given_more_than_may_be_held_when_fetched_then_the_rest_stays_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_HELD", 10)
    shelf = Shelf(tmp_path, a=b"x" * 6, b=b"x" * 6, c=b"x")
    ahead = Fetched(shelf, ["a", "b", "c"])
    assert shelf.taken == ["a", "b"]
    assert ahead.take("c") == b"x"
    assert shelf.taken == ["a", "b", "c"]


def test_given_a_store_that_is_away_when_fetched_then_the_batch_hears_at_once(
    tmp_path: Path,
) -> None:
    shelf = Shelf(tmp_path, a=b"1")
    shelf.away = True
    with pytest.raises(StoreUnavailable):
        Fetched(shelf, ["a"])
