"""One suite over every BlobStore: the folder, the folder with photos in place, the real MinIO."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.blobs_overlay import InPlaceBlobStore
from fashionmap.domain import keys
from fashionmap.entrypoints.collection import check_exists, count_photos, count_stages
from fashionmap.entrypoints.compose import object_store
from fashionmap.errors import (
    BlobNotFound,
    BlobTooLarge,
    CollectionNotFound,
    FashionMapError,
    StoreUnavailable,
    UsageError,
)
from fashionmap.ports import BlobStore
from fashionmap.settings import Settings
from tests.relay import Relay, relay
from tests.servers import free_port


def on_disk(_request: pytest.FixtureRequest, folder: Path) -> BlobStore:
    return FilesystemBlobStore(folder)


def in_place(_request: pytest.FixtureRequest, folder: Path) -> BlobStore:
    return InPlaceBlobStore(folder)


def in_minio(request: pytest.FixtureRequest, _folder: Path) -> BlobStore:
    fresh = request.getfixturevalue("servers").fresh()
    values = {k.removeprefix("FASHIONMAP_").lower(): v for k, v in fresh.items()}
    return object_store(Settings(**values))


@pytest.fixture(
    params=[on_disk, in_place, pytest.param(in_minio, marks=pytest.mark.services)],
    ids=lambda make: make.__name__,
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    make: Callable[[pytest.FixtureRequest, Path], BlobStore] = request.param
    return make(request, tmp_path / "store")


def test_given_an_object_when_put_then_it_can_be_got_listed_replaced_and_deleted(store) -> None:
    assert not store.exists("a/b/c.json")
    store.put("a/b/c.json", b"one")
    store.put("a/b/c.json", b"two")
    store.put("a/x", b"")
    store.put("ab/y", b"3")
    assert store.exists("a/b/c.json")
    assert store.get("a/b/c.json") == b"two"
    assert store.get("a/x") == b""
    assert list(store.keys("a/")) == ["a/b/c.json", "a/x"]
    assert list(store.keys("a")) == ["a/b/c.json", "a/x", "ab/y"]
    assert list(store.keys("nothing/")) == []
    store.delete("a/b/c.json")
    store.delete("a/b/c.json")
    assert not store.exists("a/b/c.json")


def test_given_several_objects_when_put_then_all_are_there_as_they_are(store) -> None:
    long = f"collections/c/photos/{'0' * 64}/embeddings/{'a' * 60}/{'b' * 60}.arrow"
    sizes = {"a/none": 0, "a/é ü+%25&<x>@1": 10, "a/big": 700_000, long: 36_000}
    objects = {key: os.urandom(size) for key, size in sizes.items()}
    store.put("a/big", b"before")
    for _ in range(2):
        store.put_all(objects)
        assert {key: store.get(key) for key in store.keys("")} == objects
    store.put_all({})
    store.put_all({"a/one": b"1"})
    assert store.get("a/one") == b"1"


@pytest.mark.parametrize("key", ["../up", "a/./b", "a//b"])
def test_given_a_key_that_is_none_among_several_when_put_then_it_is_no_other(
    store, key: str
) -> None:
    store.put("x", b"")
    with suppress(UsageError):
        store.put_all({"a/1": b"1", key: b"2", "a/3": b"3"})
        assert store.get(key) == b"2"
    assert {*store.keys("")} <= {"x", "a/1", "a/3", *([key] if key == "a//b" else [])}


def test_given_odd_names_when_listed_then_all_come_once_in_order(store) -> None:
    names = ["p/é ü+%25&<x>@1/a", "p/a/b", "p/a-b", "p/a.b/c", *(f"p/n{i}" for i in range(9))]
    for name in names:
        store.put(name, b"")
    assert list(store.keys("p/")) == sorted(names)
    assert list(store.keys("p/é ")) == names[:1]
    assert len(list(store.keys("p/n"))) == 9


def test_given_a_key_that_points_nowhere_when_got_then_it_is_named(store) -> None:
    with pytest.raises(BlobNotFound, match="no/such"):
        store.get("no/such")


def test_given_an_object_beyond_the_limit_when_got_then_it_is_refused_unread(store) -> None:
    store.put("a", b"x" * 2000)
    assert store.get("a", most=2000) == b"x" * 2000
    with pytest.raises(BlobTooLarge):
        store.get("a", most=1999)


@pytest.mark.parametrize("key", ["", "../up", "a/../../b", "a/./b"])
def test_given_a_key_that_is_none_when_used_then_every_store_says_so(store, key: str) -> None:
    with pytest.raises(UsageError):
        store.get(key)
    with pytest.raises(UsageError):
        store.put(key, b"x")


def test_given_a_file_when_put_then_it_is_used_up(store, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"x" * 7_000_000)
    store.put_file("big/file", path)
    assert len(store.get("big/file")) == 7_000_000
    assert not path.exists()


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../../b"])
def test_given_a_key_that_leads_out_when_used_then_it_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        FilesystemBlobStore(tmp_path).get(key)


def test_given_photos_in_place_when_got_then_they_are_read_where_they_lie(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"pixels")
    store = InPlaceBlobStore(tmp_path / "store")
    store.remember("p/original", photo)
    store.put("p/original", b"ignored")
    assert store.get("p/original") == b"pixels"
    assert list(store.keys("p/")) == ["p/original"]
    assert not (tmp_path / "store").exists()
    photo.unlink()
    with pytest.raises(BlobNotFound):
        store.get("p/original")


def test_given_no_store_when_used_then_it_is_unavailable_after_the_patience() -> None:
    settings = Settings(s3_endpoint=f"127.0.0.1:{free_port()}", store_patience=0.5)
    with pytest.raises(StoreUnavailable, match="does not answer") as caught:
        object_store(settings).get("a")
    assert isinstance(caught.value, FashionMapError)


SEVERAL = {f"several/{n}": bytes([n]) * n for n in range(20)}


@pytest.fixture
def relayed(request: pytest.FixtureRequest) -> Iterator[tuple[BlobStore, Relay]]:
    """The real MinIO behind a relay; its bucket is there."""
    fresh = request.getfixturevalue("servers").fresh()
    values = {k.removeprefix("FASHIONMAP_").lower(): v for k, v in fresh.items()}
    with relay(values["s3_endpoint"]) as between:
        changed = {"s3_endpoint": between.address, "store_patience": 1}
        store = object_store(Settings(**{**values, **changed}))
        assert not store.exists("a")
        between.passed.clear()
        yield store, between


@pytest.mark.services
def test_given_several_objects_when_put_into_minio_then_it_is_one_call(relayed) -> None:
    store, between = relayed
    store.put_all(SEVERAL)  # the first object shows who answers
    assert between.passed == ["PUT", "PACKED"]
    store.put_all(SEVERAL)
    assert between.passed == ["PUT", "PACKED", "PACKED"]
    assert {key: store.get(key) for key in store.keys("")} == SEVERAL


@pytest.mark.services
@pytest.mark.parametrize(("server", "tars"), [("AmazonS3", 0), (None, 1)])
def test_given_another_store_or_one_that_denies_tars_when_several_are_put_then_they_go_one_by_one(
    relayed, server: str | None, tars: int
) -> None:
    store, between = relayed
    between.server, between.denies = server, lambda verb: verb == "PACKED"
    for _ in range(2):
        store.put_all(SEVERAL)
    assert between.passed.count("PACKED") == tars  # it is asked once
    assert between.passed.count("PUT") == 40 == len(between.passed) - tars
    assert {key: store.get(key) for key in store.keys("")} == SEVERAL


@pytest.mark.services
def test_given_a_minio_that_refuses_all_when_several_are_put_then_the_error_names_one(
    relayed,
) -> None:
    store, between = relayed
    store.put("a", b"")
    between.denies = lambda _verb: True
    with pytest.raises(StoreUnavailable, match=r"'several/\d+': AccessDenied"):
        store.put_all(SEVERAL)


@pytest.mark.services
def test_given_a_collection_that_does_not_exist_when_counted_then_it_is_named(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store = in_minio(request, tmp_path)
    for count in (count_stages, count_photos, check_exists):
        with pytest.raises(CollectionNotFound, match="'nowhere'"):
            count(store, "nowhere")


@pytest.mark.services
def test_given_a_collection_when_counted_then_each_photo_counts_once_where_it_is(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store = in_minio(request, tmp_path)
    ids = [hashlib.sha256(bytes([i])).hexdigest() for i in range(40)]
    for number, photo_id in enumerate(ids):
        there = keys.photo("c", photo_id)
        store.put(there + "original", b"x")
        parts = ("photo.json", "masks/a.json", "masks/b.json", "embeddings/a/e.arrow")
        for part in parts[: number % 5]:
            store.put(there + part, b"x")
    store.put(keys.failure("c", "ingest", ids[0]), b"{}")
    store.put(keys.failure("c", "embedding", ids[0]), b"{}")
    store.put(keys.original("ca", ids[0]), b"x")
    counts = count_photos(store, "c")
    assert counts == {
        **{"offered": 40, "ingested": 32, "segmented": 24, "embedded": 8},
        "failed": 1,
    }
    census = count_stages(store, "c")
    assert {name: len(getattr(census, name)) for name in counts} == counts
    assert census.embedded == set(ids[4::5])
    check_exists(store, "c")
