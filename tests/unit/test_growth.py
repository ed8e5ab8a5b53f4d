"""New maps of collections that grow: when one is due, and that it is asked for once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.domain import keys
from fashionmap.domain.documents import stamp_to_json, to_bytes
from fashionmap.domain.events import CollectionGrew, Event, MapRequested, PhotoEmbedded
from fashionmap.domain.photo import ModelStamp
from fashionmap.projection.growth import GrowthRules, GrowthWatch
from fashionmap.projection.handler import request_of

CUT, EMBEDDED = ModelStamp("cut", "1", "0" * 64), ModelStamp("embed", "1", "1" * 64)


def refusal_of(event: MapRequested) -> str:
    return keys.failure(event.collection, "projection", event.version)


@dataclass
class Line:
    """A collection over time: the watch with a clock, and what it publishes."""

    blobs: FilesystemBlobStore
    rules: GrowthRules = field(default_factory=lambda: GrowthRules(0.1, 0, quiet=60, longest=600))
    time: float = 1000.0
    sent: list[Event] = field(default_factory=list)
    photos: int = 0

    def publish(self, events: Sequence[Event]) -> None:
        self.sent += events

    def hear(self, *events: Event) -> list[Event]:
        """What the watch publishes when it hears events."""
        self.sent.clear()
        watch = GrowthWatch(self.blobs, self, self.rules, refusal_of, lambda: self.time)
        assert watch.handle(events) == [None] * len(events)  # type: ignore[arg-type]
        return list(self.sent)

    def embed(self, count: int, *, stamp: ModelStamp = EMBEDDED) -> list[Event]:
        """So many new photos."""
        events = []
        for _ in range(count):
            photo_id = f"{self.photos:064x}"
            self.blobs.put(keys.embeddings("c", photo_id, CUT, stamp), b"")
            events.append(PhotoEmbedded("c", photo_id, CUT, stamp))
            self.photos += 1
        return self.hear(*events)

    def look(self) -> list[Event]:
        return self.hear(CollectionGrew("c", 60))

    def build(self, request: Event, *, photos: int) -> None:
        """A map as the stage of maps would have made it."""
        assert isinstance(request, MapRequested)
        told = {
            "counts": {"photos": photos},
            "embedder": stamp_to_json(EMBEDDED),
            "unit": "both",
            "projector": {"perplexity": 12.0},
            "seed": 7,
        }
        self.blobs.put(keys.map_version("c", request.version) + "map.json", to_bytes(told))
        self.blobs.put(keys.newest_map("c"), to_bytes({"version": request.version}))


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(FilesystemBlobStore(tmp_path))


@pytest.fixture
def mapped(line: Line) -> Line:
    """A collection of 100 photos with a map."""
    line.embed(100)
    line.time += 60
    (request,) = line.look()
    assert line.hear(request) == []
    line.build(request, photos=100)
    line.time += 1000
    return line


def test_given_a_stream_when_it_is_quiet_then_its_first_map_is_requested_once(line: Line) -> None:
    assert line.embed(5) == [CollectionGrew("c", 60)]
    line.time += 30
    assert line.embed(5) == []
    line.time += 30
    assert line.look() == [CollectionGrew("c", 60)]  # the last photo came 30 seconds ago
    line.time += 60
    (request,) = line.look()
    assert request == request_of(line.blobs, "c", unit="garment", perplexity=0.0, seed=0)
    assert line.look() == []


def test_given_a_stream_without_quiet_when_the_longest_wait_is_over_then_a_map_is_requested(
    line: Line,
) -> None:
    line.embed(1)
    for _ in range(19):
        line.time += 30
        line.embed(1)
        assert line.look() == [CollectionGrew("c", 60)]
    line.time += 30
    line.embed(1)
    assert isinstance(line.look()[0], MapRequested)


def test_given_a_map_when_less_than_the_share_is_new_then_it_stays(mapped: Line) -> None:
    assert mapped.embed(9) == [CollectionGrew("c", 60)]
    mapped.time += 60
    assert mapped.look() == []
    assert mapped.embed(1) == [CollectionGrew("c", 60)]
    mapped.time += 60
    (request,) = mapped.look()
    assert (request.unit, request.perplexity, request.seed) == ("both", 12.0, 7)


def test_given_a_number_of_photos_when_so_many_are_new_then_the_share_does_not_matter(
    mapped: Line,
) -> None:
    mapped.rules = GrowthRules(0.0, 3, quiet=60, longest=600)
    for count, asked in ((2, 0), (1, 1)):
        mapped.embed(count)
        mapped.time += 60
        assert len(mapped.look()) == asked


def test_given_a_map_that_is_built_when_photos_come_then_none_is_requested_until_it_is_there(
    mapped: Line,
) -> None:
    mapped.embed(50)
    mapped.time += 60
    (request,) = mapped.look()
    mapped.hear(request)
    mapped.embed(50)
    for _ in range(30):
        mapped.time += 60
        assert mapped.look() == [CollectionGrew("c", 60)]
    mapped.build(request, photos=150)
    mapped.time += 60
    (second,) = mapped.look()
    assert second != request


def test_given_a_request_that_never_becomes_a_map_when_hours_pass_then_another_follows(
    mapped: Line,
) -> None:
    mapped.hear(MapRequested("c", "lost"))
    mapped.embed(50)
    mapped.time += 7 * 3600
    assert isinstance(mapped.look()[0], MapRequested)


def test_given_a_request_that_is_refused_when_looked_at_then_another_follows(
    mapped: Line,
) -> None:
    mapped.hear(MapRequested("c", "bad"))
    mapped.embed(50)
    mapped.time += 60
    assert mapped.look() == [CollectionGrew("c", 60)]
    mapped.blobs.put(refusal_of(MapRequested("c", "bad")), b"{}")
    mapped.time += 60
    assert isinstance(mapped.look()[0], MapRequested)


def test_given_another_embedder_when_its_photos_outnumber_the_others_then_all_are_new(
    mapped: Line,
) -> None:
    mapped.photos = 0
    mapped.embed(101, stamp=ModelStamp("embed", "2", "2" * 64))
    mapped.time += 60
    assert isinstance(mapped.look()[0], MapRequested)


def test_given_a_look_that_is_lost_when_photos_come_later_then_another_is_asked_for(
    line: Line,
) -> None:
    line.embed(1)
    line.time += 181
    assert line.embed(1) == [CollectionGrew("c", 60)]


def test_given_messages_that_come_twice_when_taken_then_nothing_more_is_requested(
    mapped: Line,
) -> None:
    again = [PhotoEmbedded("c", f"{i:064x}", CUT, EMBEDDED) for i in range(100)]
    assert mapped.hear(*again) == [CollectionGrew("c", 60)]
    mapped.time += 60
    assert mapped.look() == []
    assert mapped.look() == []


def test_given_a_look_that_comes_twice_when_it_is_too_early_then_one_more_is_asked_for(
    line: Line,
) -> None:
    line.embed(1)
    line.time += 50
    line.embed(1)
    line.time += 10
    assert line.look() == [CollectionGrew("c", 60)]
    assert line.look() == []
    line.time += 60
    assert isinstance(line.look()[0], MapRequested)


def test_given_no_rule_when_photos_come_then_nothing_is_asked_nor_written(line: Line) -> None:
    line.rules = GrowthRules(0.0, 0, quiet=60, longest=600)
    assert line.embed(100) == []
    assert line.look() == []
    assert not list(line.blobs.keys("control/"))


def test_given_a_collection_that_was_removed_when_looked_at_then_nothing_happens(
    line: Line,
) -> None:
    line.embed(5)
    for key in list(line.blobs.keys("collections/")):
        line.blobs.delete(key)
    line.time += 60
    assert line.look() == []
