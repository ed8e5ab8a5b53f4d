"""A stream gets its maps by itself: the real broker and store, the projection as a process."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from benchmarks.looks import SHAPE, TRUTH, documents_of

from fashionmap.adapters.blobs_minio import MinioBlobStore
from fashionmap.adapters.dead_letters import queue_depths
from fashionmap.adapters.photo_decoder import decode_photo
from fashionmap.adapters.topology import GROWTH
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, photo_to_json, to_bytes
from fashionmap.domain.events import PhotoEmbedded
from fashionmap.domain.photo import Photo
from fashionmap.entrypoints.collection import newest_of
from fashionmap.entrypoints.compose import broker, object_store, publisher
from fashionmap.settings import Settings
from tests.pipeline import settings_of
from tests.processes import Cluster, until
from tests.servers import Servers

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]


@dataclass
class Stream:
    """A collection into which photos come, embedded already."""

    settings: Settings
    blobs: MinioBlobStore
    services: Cluster

    def put(self, documents: Sequence[tuple[str, Path, bytes]]) -> None:
        """Embeds photos, as the stages before would."""
        for photo, file, document in documents:
            height, width = decode_photo(file.read_bytes()).shape[:2]
            record = photo_to_json(Photo(photo, file.name, width, height))
            self.blobs.put(keys.photo_record("c", photo), to_bytes(record))
            self.blobs.put(keys.embeddings("c", photo, TRUTH, SHAPE), document)
        with closing(publisher(self.settings)) as bus:
            bus.publish([PhotoEmbedded("c", photo, TRUTH, SHAPE) for photo, _, _ in documents])

    def on_newest_map(self) -> int:
        """Photos on the newest map; 0 where there is none."""
        if not (version := newest_of(self.blobs, "c")):
            return 0
        told = from_bytes(self.blobs.get(keys.map_version("c", version) + "map.json"))
        return int(told["counts"]["photos"])

    def maps(self) -> int:
        return len(list(self.blobs.folders(keys.maps("c"))))

    def is_watched(self) -> bool:
        """Whether photos came that no look has considered."""
        record = keys.growth("c")
        return self.blobs.exists(record) and from_bytes(self.blobs.get(record))["since"] > 0

    def rests(self) -> bool:
        """Whether nothing waits, and every look is over."""
        waiting = [waiting for waiting, _ in queue_depths(broker(self.settings)).values()]
        return not any(waiting) and not self.is_watched()

    def looks_due(self) -> int:
        """Looks whose time has come, and that nobody takes."""
        return queue_depths(broker(self.settings))[GROWTH][0]


@pytest.fixture
def stream(servers: Servers, tmp_path: Path) -> Iterator[Stream]:
    fresh = servers.fresh()
    settings = settings_of(fresh)
    rules = {"FASHIONMAP_REBUILD_SHARE": "0.5", "FASHIONMAP_REBUILD_QUIET": "3"}
    services = Cluster({**fresh, **rules}, tmp_path)
    services.start("projection")
    yield Stream(settings, object_store(settings), services)
    services.stop()


def test_given_a_stream_when_it_grows_then_maps_follow_once_each_over_kills(
    stream: Stream, looks: Path
) -> None:
    documents = list(documents_of(looks))
    stream.put(documents[:8])
    until(lambda: stream.on_newest_map() == 8, 120)
    until(stream.rests, 60)

    stream.put(documents[8:11])  # less than half
    until(stream.is_watched, 60)
    until(stream.rests, 60)
    assert (stream.on_newest_map(), stream.maps()) == (8, 1)

    stream.put(documents[11:])  # half; the look waits in the broker while nobody is there
    until(stream.is_watched, 60)
    stream.services.kill("projection")
    until(lambda: stream.looks_due() == 1, 60)
    stream.services.start("projection")
    until(lambda: stream.on_newest_map() == 12, 120)
    until(stream.rests, 60)

    stream.put(documents)  # all of it again
    until(stream.is_watched, 60)
    until(stream.rests, 60)
    assert (stream.on_newest_map(), stream.maps()) == (12, 2)
    assert not any(dead for _, dead in queue_depths(broker(stream.settings)).values())
