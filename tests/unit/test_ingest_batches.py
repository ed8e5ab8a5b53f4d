"""A batch of offers: equal photos, refused ones, what is written when, and two batches at once."""

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.photo_decoder import PhotoDecoder
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes
from fashionmap.domain.events import PhotoIngested, PhotoOffered
from fashionmap.errors import PhotoRejected, StoreUnavailable
from fashionmap.ingest import handler
from fashionmap.ingest.handler import ingest_photo, ingest_photos


class Ledger(FilesystemBlobStore):
    """A folder that notes what is written, and together with what."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.written: list[list[str]] = []
        self.fails = False
        self.before_all = lambda: None

    def put(self, key: str, data: bytes) -> None:
        """As of any store."""
        self.written.append([key.rsplit("/", 1)[-1]])
        super().put(key, data)

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """As of any store."""
        self.before_all()
        if self.fails:
            raise StoreUnavailable("away")
        for key, data in objects.items():
            super().put(key, data)
        self.written.append(sorted(key.rsplit("/", 1)[-1] for key in objects))


@pytest.fixture
def photos(looks: Path) -> list[bytes]:
    """Some drawn looks."""
    return [path.read_bytes() for path in sorted((looks / "images").iterdir())[:4]]


def _names(store: FilesystemBlobStore, event: object) -> list[str]:
    assert isinstance(event, PhotoIngested)
    record = from_bytes(store.get(keys.photo_record("c", event.photo_id)))
    names: list[str] = record["file_names"]
    return names


def test_given_new_photos_when_ingested_then_photos_are_written_before_their_records(
    tmp_path: Path, photos: list[bytes]
) -> None:
    store = Ledger(tmp_path)
    offers = [PhotoOffered("c", f"{n}", data=photo) for n, photo in enumerate(photos)]
    events = ingest_photos(offers, blobs=store, decoder=PhotoDecoder())
    assert store.written == [["original"] * 4, ["photo.json"] * 4]
    assert [_names(store, event) for event in events] == [["0"], ["1"], ["2"], ["3"]]
    assert all(isinstance(event, PhotoIngested) and event.photo for event in events)


def test_given_a_large_photo_when_ingested_then_it_is_not_held_for_the_batch(
    tmp_path: Path, photos: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "SMALL", len(photos[0]) - 1)
    store = Ledger(tmp_path)
    ingest_photos([PhotoOffered("c", "a", data=photos[0])], blobs=store, decoder=PhotoDecoder())
    assert store.written == [["original"], [], ["photo.json"]]


def test_given_equal_photos_in_a_batch_when_ingested_then_all_names_are_kept(
    tmp_path: Path, photos: list[bytes]
) -> None:
    store = Ledger(tmp_path)
    offers = [PhotoOffered("c", name, data=photos[0]) for name in "cabd"]
    events = ingest_photos(offers, blobs=store, decoder=PhotoDecoder())
    assert _names(store, events[0]) == ["a", "b", "c", "d"]
    assert (
        sum(isinstance(event, PhotoIngested) and event.photo is not None for event in events) == 1
    )
    again = ingest_photo(offers[0], blobs=store, decoder=PhotoDecoder())
    assert again.photo is None


def test_given_equal_bytes_that_are_no_photo_when_ingested_then_each_is_refused(
    tmp_path: Path, photos: list[bytes]
) -> None:
    store = Ledger(tmp_path)
    offers = [PhotoOffered("c", "a", data=data) for data in (b"no", photos[0], b"no")]
    events = ingest_photos(offers, blobs=store, decoder=PhotoDecoder())
    assert [type(event) for event in events] == [PhotoRejected, PhotoIngested, PhotoRejected]


def test_given_two_batches_with_one_photo_at_once_when_ingested_then_both_names_are_kept(
    tmp_path: Path, photos: list[bytes]
) -> None:
    store = Ledger(tmp_path)
    both = threading.Barrier(2, timeout=30)
    passed = threading.local()

    def meet() -> None:
        """Both have checked before either has written."""
        if not getattr(passed, "by", False):
            passed.by = True
            both.wait()

    store.before_all = meet
    orders = {"a": [0, 1, 2], "b": [2, 1, 0]}
    done: dict[str, list] = {}

    def ingest(name: str) -> None:
        offers = [PhotoOffered("c", f"{name}{n}", data=photos[n]) for n in orders[name]]
        done[name] = ingest_photos(offers, blobs=store, decoder=PhotoDecoder())

    threads = [threading.Thread(target=ingest, args=(name,)) for name in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [_names(store, event) for event in done["a"]] == [[f"a{n}", f"b{n}"] for n in range(3)]


def test_given_a_store_that_is_away_when_ingested_then_the_next_attempt_is_not_in_its_way(
    tmp_path: Path, photos: list[bytes]
) -> None:
    store = Ledger(tmp_path)
    offers = [PhotoOffered("c", "a", data=photo) for photo in photos]
    store.fails = True
    with pytest.raises(StoreUnavailable):
        ingest_photos(offers, blobs=store, decoder=PhotoDecoder())
    assert list(store.keys("")) == []
    store.fails = False
    done: list = []
    again = threading.Thread(
        target=lambda: done.extend(ingest_photos(offers, blobs=store, decoder=PhotoDecoder())),
        daemon=True,
    )
    again.start()
    again.join(30)
    assert [_names(store, event) for event in done] == [["a"]] * 4
