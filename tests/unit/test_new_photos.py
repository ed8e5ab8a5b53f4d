"""A photo that is new passes the stages without a question to the store; a known one asks."""

from pathlib import Path

import pytest

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.photo_decoder import PhotoDecoder
from fashionmap.adapters.units_table import ArrowUnitsWriter
from fashionmap.domain.events import PhotoIngested, PhotoOffered, PhotoSegmented
from fashionmap.embedding.handler import embed_photos
from fashionmap.embedding.model import load_embedder
from fashionmap.ingest.handler import ingest_photos
from fashionmap.pipelining import Pipeline
from fashionmap.ports import Embedder, Segmenter
from fashionmap.segmentation.handler import segment_photos
from fashionmap.segmentation.model import load_segmenter


class ListeningStore(FilesystemBlobStore):
    """A folder that notes what it is asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[tuple[str, str]] = []

    def exists(self, key: str) -> bool:
        """As of any store."""
        self.asked.append(("exists", key.rsplit("/", 1)[-1]))
        return super().exists(key)

    def get(self, key: str, *, most: int | None = None) -> bytes:
        """As of any store."""
        self.asked.append(("get", key.rsplit("/", 1)[-1]))
        return super().get(key, most=most)


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return load_segmenter()


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder()


def _pass(store: ListeningStore, photo: bytes, segmenter: Segmenter, embedder: Embedder) -> list:
    """An offer through all stages; the stages' events."""
    decoder = PhotoDecoder()
    ingested = ingest_photos([PhotoOffered("c", "a.jpg", data=photo)], blobs=store, decoder=decoder)
    parts = {"blobs": store, "decoder": decoder, "pipeline": Pipeline(1)}
    segmented = segment_photos(ingested, segmenter=segmenter, **parts)
    embedded = embed_photos(segmented, embedder=embedder, writer=ArrowUnitsWriter(), **parts)
    return [*ingested, *segmented, *embedded]


def test_given_a_new_photo_when_it_passes_then_only_what_is_needed_is_fetched(
    tmp_path: Path, looks: Path, segmenter: Segmenter, embedder: Embedder
) -> None:
    store = ListeningStore(tmp_path)
    photo = next((looks / "images").iterdir()).read_bytes()
    events = _pass(store, photo, segmenter, embedder)
    assert [verb for verb, _ in store.asked] == ["exists", "get", "get", "get"]
    assert events[0].photo is not None
    assert events[1].fresh


def test_given_a_photo_that_passed_when_offered_again_then_no_work_is_done_twice(
    tmp_path: Path, looks: Path, segmenter: Segmenter, embedder: Embedder
) -> None:
    store = ListeningStore(tmp_path)
    photo = next((looks / "images").iterdir()).read_bytes()
    _pass(store, photo, segmenter, embedder)
    store.asked.clear()
    events = _pass(store, photo, segmenter, embedder)
    assert events[0].photo is None
    assert not events[1].fresh
    assert ("get", "original") not in store.asked


def test_given_a_new_photos_message_twice_when_handled_then_the_objects_are_equal(
    tmp_path: Path, looks: Path, segmenter: Segmenter, embedder: Embedder
) -> None:
    store = ListeningStore(tmp_path)
    photo = next((looks / "images").iterdir()).read_bytes()
    ingested, segmented, _ = _pass(store, photo, segmenter, embedder)
    assert isinstance(ingested, PhotoIngested)
    assert isinstance(segmented, PhotoSegmented)
    before = {key: store.get(key) for key in store.keys("collections/")}
    plain = [PhotoIngested("c", ingested.photo_id), ingested]
    parts = {"blobs": store, "decoder": PhotoDecoder(), "pipeline": Pipeline(1)}
    again = segment_photos(plain, segmenter=segmenter, **parts)
    embed_photos(again, embedder=embedder, writer=ArrowUnitsWriter(), **parts)
    assert {key: store.get(key) for key in store.keys("collections/")} == before
