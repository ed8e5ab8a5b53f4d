"""A stream gets its maps by itself: the real broker and store, the projection as a process."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.looks import SHAPE, TRUTH, documents_of

from fashionmap.adapters.dead_letters import queue_depths
from fashionmap.adapters.photo_decoder import decode_photo
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, photo_to_json, to_bytes
from fashionmap.domain.events import PhotoEmbedded
from fashionmap.domain.photo import Photo
from fashionmap.entrypoints.collection import newest_of
from fashionmap.entrypoints.compose import broker, object_store, publisher
from fashionmap.settings import Settings
from tests.pipeline import settings_of, wait_until_idle
from tests.processes import Cluster, until
from tests.servers import Servers

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]
QUIET = 3.0


def publish(settings: Settings, photos: Sequence[str]) -> None:
    bus = publisher(settings)
    bus.publish([PhotoEmbedded("c", photo, TRUTH, SHAPE) for photo in photos])
    bus.close()


def put(settings: Settings, documents: Sequence[tuple[str, Path, bytes]]) -> None:
    """Embeds photos, as the stage before would."""
    blobs = object_store(settings)
    for photo, file, document in documents:
        height, width = decode_photo(file.read_bytes()).shape[:2]
        record = photo_to_json(Photo(photo, file.name, width, height))
        blobs.put(keys.photo_record("c", photo), to_bytes(record))
        blobs.put(keys.embeddings("c", photo, TRUTH, SHAPE), document)
    publish(settings, [photo for photo, _, _ in documents])


def newest(settings: Settings) -> int:
    """Photos on the newest map; 0 where there is none."""
    blobs = object_store(settings)
    version = newest_of(blobs, "c")
    if not version:
        return 0
    told = from_bytes(blobs.get(keys.map_version("c", version) + "map.json"))
    return int(told["counts"]["photos"])


def maps(settings: Settings) -> int:
    return len(list(object_store(settings).folders(keys.maps("c"))))


def looks_wait(settings: Settings) -> int:
    """Messages that wait for their time, or for somebody to look."""
    return queue_depths(broker(settings))["projection.growth"][0]


def rests(settings: Settings, services: Cluster) -> None:
    """Waits until every look is over."""
    blobs = object_store(settings)

    def is_over() -> bool:
        return not from_bytes(blobs.get(keys.growth("c")))["since"]

    wait_until_idle(settings)
    until(is_over, 60)
    assert services.running["projection"].poll() is None


def test_given_a_stream_when_it_grows_then_maps_follow_once_each_over_kills(
    servers: Servers, looks: Path, tmp_path: Path
) -> None:
    fresh = servers.fresh()
    settings = settings_of(fresh)
    rules = {"FASHIONMAP_REBUILD_SHARE": "0.5", "FASHIONMAP_REBUILD_QUIET": str(QUIET)}
    documents = list(documents_of(looks))
    services = Cluster({**fresh, **rules}, tmp_path)
    try:
        services.start("projection")
        put(settings, documents[:8])
        until(lambda: newest(settings) == 8, 120)
        rests(settings, services)

        put(settings, documents[8:11])  # less than half
        until(lambda: from_bytes(object_store(settings).get(keys.growth("c")))["since"], 60)
        rests(settings, services)
        assert (newest(settings), maps(settings)) == (8, 1)

        put(settings, documents[11:])  # half: the look waits in the broker while nobody is there
        until(lambda: from_bytes(object_store(settings).get(keys.growth("c")))["since"], 60)
        services.kill("projection")
        until(lambda: looks_wait(settings) == 1, 60)
        services.start("projection")
        until(lambda: newest(settings) == 12, 120)
        rests(settings, services)

        publish(settings, [photo for photo, _, _ in documents])  # all of it again
        until(lambda: from_bytes(object_store(settings).get(keys.growth("c")))["since"], 60)
        rests(settings, services)
        assert (newest(settings), maps(settings)) == (12, 2)
        assert not any(dead for _, dead in queue_depths(broker(settings)).values())
    finally:
        services.stop()
