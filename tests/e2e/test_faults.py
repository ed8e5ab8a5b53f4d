"""What happens when things break: real broker, real store, services as processes.

`make test` runs it with few looks; `make test-faults` with FASHIONMAP_FAULT_LOOKS=500,
FASHIONMAP_FAULT_KILLS=50 and FASHIONMAP_FAULT_SECONDS=60.
"""

import json
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pika
import pytest

from fashionmap.adapters.publisher_rabbitmq import letter_of
from fashionmap.domain import keys
from fashionmap.domain.events import PhotoIngested
from fashionmap.entrypoints.collection import count_stages, failures_of
from fashionmap.entrypoints.compose import object_store, publisher
from fashionmap.sample.dataset import write_looks
from fashionmap.settings import Settings
from tests.pipeline import (
    accounted_for,
    dead_letters,
    handled,
    publish,
    purge,
    settings_of,
    wait_for,
    wait_until_idle,
)
from tests.processes import SERVICES, Cluster, cluster, until
from tests.servers import Servers

LOOKS = int(os.environ.get("FASHIONMAP_FAULT_LOOKS", "10"))
KILLS = int(os.environ.get("FASHIONMAP_FAULT_KILLS", "4"))
AWAY = float(os.environ.get("FASHIONMAP_FAULT_SECONDS", "6"))
PATIENCE = 240 + 6 * LOOKS + 30 * KILLS
pytestmark = [
    pytest.mark.services,
    pytest.mark.faults,
    pytest.mark.timeout(2 * PATIENCE),
]


@dataclass
class Line:
    """The services at work, the photos, and the collection that nothing disturbed."""

    services: Cluster
    settings: Settings
    photos: Path
    calm: str = "calm"

    def publish(self, collection: str) -> set[str]:
        return publish(self.settings, self.photos, collection)

    def wait(self, collection: str, *, segmented: int) -> None:
        """Until so many photos are segmented: the middle of the work."""
        blobs = object_store(self.settings)
        until(
            lambda: len(count_stages(blobs, collection).segmented) >= segmented,
            PATIENCE,
            pause=0.1,
        )

    def all_is_well(self, collection: str, wanted: set[str]) -> None:
        wait_for(self.settings, wanted, collection, seconds=PATIENCE)
        wait_until_idle(self.settings)
        accounted_for(self.settings, wanted, collection, self.calm)


@pytest.fixture(scope="module")
def line(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """All services, with an undisturbed run behind them."""
    photos = tmp_path_factory.mktemp("fault-looks")
    write_looks(photos, count=LOOKS, seed=5)
    fresh = servers.fresh()
    with cluster({**fresh, "FASHIONMAP_BATCH": "4"}, tmp_path_factory.mktemp("faults")) as services:
        there = Line(services, settings_of(fresh), photos / "images")
        wanted = there.publish(there.calm)
        wait_for(there.settings, wanted, there.calm, seconds=PATIENCE)
        yield there


def test_given_services_killed_at_random_moments_then_nothing_is_lost_or_double(
    line: Line,
) -> None:
    chance = random.Random(KILLS)
    victims = [SERVICES[i % len(SERVICES)] for i in range(KILLS)]
    chance.shuffle(victims)
    wanted = line.publish("killed")
    for victim in victims:
        time.sleep(chance.uniform(0.1, min(0.1 * LOOKS, 4.0)))
        line.services.kill(victim)
        line.services.start(victim)
    line.all_is_well("killed", wanted)


def test_given_the_broker_restarted_in_the_middle_then_nothing_is_lost_or_double(
    line: Line, servers: Servers
) -> None:
    wanted = line.publish("restarted")
    line.wait("restarted", segmented=2)
    servers.rabbitmq.stop()
    time.sleep(AWAY / 3)
    servers.rabbitmq.start()
    line.all_is_well("restarted", wanted)
    for name in SERVICES:
        assert line.services.log(name).count("broker away") < 40


def test_given_the_store_away_in_the_middle_then_nothing_is_refused_and_no_log_is_flooded(
    line: Line, servers: Servers
) -> None:
    wanted = line.publish("away")
    line.wait("away", segmented=1)
    before = {name: len(line.services.log(name).splitlines()) for name in SERVICES}
    servers.minio.stop(signal.SIGKILL)
    time.sleep(AWAY)
    told = {n: len(line.services.log(n).splitlines()) - before[n] for n in SERVICES}
    servers.minio.start()
    assert max(told.values()) < 20 + AWAY
    line.all_is_well("away", wanted)


def test_given_a_store_whose_disk_takes_nothing_more_then_the_photos_wait_until_it_does(
    line: Line, servers: Servers
) -> None:
    wanted = line.publish("full")
    assert servers.minio.process is not None
    pid, limit = servers.minio.process.pid, resource.RLIMIT_FSIZE
    before = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (0, before[1]))  # each write of a byte: EFBIG, as a full disk
    time.sleep(AWAY)
    done = len(count_stages(object_store(line.settings), "full").embedded)
    time.sleep(2)
    assert len(count_stages(object_store(line.settings), "full").embedded) == done
    resource.prlimit(pid, limit, before)
    line.all_is_well("full", wanted)


def test_given_every_message_twice_then_the_objects_are_the_same(line: Line) -> None:
    with Echo(line.settings.amqp_url) as echo:
        wanted = line.publish("twice")
        wait_for(line.settings, wanted, "twice", seconds=PATIENCE)
        until(lambda: echo.count >= 4 * len(wanted), 60)
    line.all_is_well("twice", wanted)


class Echo(threading.Thread):
    """Sends each message of the stages once more."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url, self.count, self._over = url, 0, threading.Event()
        self._ready = threading.Event()

    def __enter__(self) -> "Echo":
        self.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        with pika.BlockingConnection(pika.URLParameters(self._url)) as connection:
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue
            channel.queue_bind(queue, "fashionmap.events", "photo.*")
            self._ready.set()
            for method, properties, body in channel.consume(queue, inactivity_timeout=0.2):
                if self._over.is_set():
                    break
                if method is None or "x-echo" in (properties.headers or {}):
                    continue
                properties.headers = {**(properties.headers or {}), "x-echo": "1"}
                channel.basic_publish("fashionmap.events", method.routing_key, body, properties)
                self.count += 1
            channel.cancel()


@pytest.mark.parametrize("victim", ["segmentation", "embedding"])
def test_given_a_sigterm_in_the_middle_of_a_batch_then_it_ends_it_and_nobody_does_it_again(
    line: Line, victim: str
) -> None:
    name = f"ended-{victim}"
    wanted = line.publish(name)
    line.wait(name, segmented=2)
    process = line.services.running[victim]
    process.terminate()
    assert process.wait(120) == 0
    line.services.start(victim)
    line.all_is_well(name, wanted)
    until(lambda: len(handled(line.services, victim, name)) >= len(wanted), 60)
    assert sorted(handled(line.services, victim, name)) == sorted(w[:16] for w in wanted)


def test_given_poisonous_messages_between_good_ones_then_they_alone_are_dead(
    line: Line, servers: Servers
) -> None:
    bus, blobs = publisher(line.settings), object_store(line.settings)
    poison = "0" * 64  # its record is one that no stage can read
    blobs.put(keys.photo_record("poison", poison), b'{"id": 7}')
    bus.send([letter_of(PhotoIngested("poison", poison))])
    wanted = line.publish("poison")
    bus.send([letter_of(PhotoIngested("poison", "f" * 64))])
    bus.close()
    wait_for(line.settings, wanted, "poison", seconds=PATIENCE)
    until(lambda: len(list(failures_of(blobs, "poison"))) == 2, 120)
    reasons = {r["photo_id"]: r["reason"] for r in failures_of(blobs, "poison")}
    assert "stumbled over it: KeyError" in reasons[poison]
    assert "There is no object" in reasons["f" * 64]
    wait_until_idle(line.settings)
    assert dead_letters(line.settings) == {"segmentation.photos": 2}
    for record in list(blobs.keys(keys.failures("poison"))):
        blobs.delete(record)
    blobs.delete(keys.photo_record("poison", poison))
    purge(servers, line.settings, "segmentation.photos.dead")
    line.all_is_well("poison", wanted)


@pytest.mark.skipif(LOOKS < 400, reason="needs FASHIONMAP_FAULT_LOOKS of 400: one long batch")
def test_given_a_batch_ten_times_longer_than_the_heartbeat_then_it_is_done_once(
    line: Line, servers: Servers, tmp_path: Path
) -> None:
    fresh = servers.fresh()
    long = {"FASHIONMAP_HEARTBEAT": "2", "FASHIONMAP_BATCH": "400", "FASHIONMAP_BATCH_WAIT": "5"}
    with cluster({**fresh, **long, "FASHIONMAP_THREADS": "1"}, tmp_path) as services:
        settings = settings_of(fresh)
        wanted = publish(settings, line.photos, "long")
        wait_for(settings, wanted, "long", seconds=PATIENCE)
        wait_until_idle(settings)
        assert longest_batch(services, "segmentation") > 20
        assert "broker away" not in services.log("segmentation")
        assert len(handled(services, "segmentation", "long")) == len(wanted)
        assert not dead_letters(settings)


def longest_batch(services: Cluster, stage: str) -> float:
    """Seconds of a service's longest batch."""
    lines = [json.loads(t) for t in services.log(stage).splitlines() if "batch done" in t]
    return max(float(line["seconds"]) for line in lines)
