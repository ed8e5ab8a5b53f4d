"""What the tests of the distributed form do again and again."""

import json
import os
import subprocess
from pathlib import Path

from fashionmap.adapters.dead_letters import queue_depths
from fashionmap.entrypoints.collection import count_stages, failures_of, publish_files
from fashionmap.entrypoints.compose import broker, object_store, publisher
from fashionmap.entrypoints.photos_on_disk import find_photos
from fashionmap.ports import BlobStore
from fashionmap.settings import Settings
from tests.processes import Cluster, until
from tests.servers import Servers


def settings_of(fresh: dict[str, str]) -> Settings:
    """Settings of an environment as ``Servers.fresh`` gives it."""
    return Settings(**{k.removeprefix("FASHIONMAP_").lower(): v for k, v in fresh.items()})


def publish(settings: Settings, photos: Path, collection: str = "c") -> set[str]:
    """Publishes a folder; returns the photos' ids."""
    bus = publisher(settings)
    published, unread = publish_files(
        find_photos([str(photos)]),
        collection,
        blobs=object_store(settings),
        bus=bus,
        metadata={},
        advance=lambda _: None,
    )
    bus.close()
    assert not unread
    return published


def wait_for(
    settings: Settings, wanted: set[str], collection: str = "c", *, seconds: float = 240
) -> None:
    """Waits until all photos are embedded."""
    blobs = object_store(settings)
    until(lambda: wanted <= count_stages(blobs, collection).embedded, seconds, pause=0.5)


def wait_until_idle(settings: Settings, seconds: float = 120) -> None:
    """Waits until no message is left in any stage's queue."""
    until(
        lambda: not any(waiting for waiting, _ in queue_depths(broker(settings)).values()),
        seconds,
        pause=0.5,
    )


def dead_letters(settings: Settings) -> dict[str, int]:
    """Dead letters by queue, where there are any."""
    return {name: dead for name, (_, dead) in queue_depths(broker(settings)).items() if dead}


def photo_objects(blobs: BlobStore, collection: str) -> dict[str, bytes]:
    """Everything that lies in the store of a collection's photos, by name."""
    prefix = f"collections/{collection}/photos/"
    return {key.removeprefix(prefix): blobs.get(key) for key in blobs.keys(prefix)}


def accounted_for(settings: Settings, wanted: set[str], collection: str, calm: str) -> None:
    """Each photo is there exactly once, byte for byte as in the undisturbed collection."""
    blobs = object_store(settings)
    assert not list(failures_of(blobs, collection))
    assert not dead_letters(settings)
    ours, theirs = photo_objects(blobs, collection), photo_objects(blobs, calm)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    for photo_id in wanted:
        kinds = sorted(n.split("/")[1] for n in ours if n.startswith(photo_id))
        assert kinds == ["embeddings", "masks", "original", "photo.json"]


def handled(services: Cluster, stage: str, collection: str) -> list[str]:
    """Photos of the collection in the order in which a service told that it had handled them."""
    lines = [json.loads(line) for line in services.log(stage).splitlines() if "batch done" in line]
    return [p for line in lines if line["collections"] == [collection] for p in line["photos"]]


def purge(servers: Servers, settings: Settings, queue: str) -> None:
    """Empties a queue, as an operator would."""
    host = settings.amqp_url.rpartition("/")[2]
    subprocess.run(
        ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "purge_queue", "-p", host, queue],
        env={**os.environ, **servers.rabbitmq.environment},
        check=True,
        capture_output=True,
        timeout=60,
    )
