"""Publishing and consuming over the real RabbitMQ."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pika
import pytest

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.broker import Broker
from fashionmap.adapters.codec import decode, encode, type_name
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.session_rabbitmq import Delivery
from fashionmap.adapters.topology import declare
from fashionmap.domain.events import PhotoIngested, PhotoSegmented
from fashionmap.domain.photo import ModelStamp
from fashionmap.entrypoints.stage import Foreman, Stage
from fashionmap.errors import BrokerUnavailable, StoreUnavailable
from tests.consuming import QUEUE, Door, Worker, events, waiting
from tests.processes import until
from tests.servers import free_port

pytestmark = pytest.mark.services
in_hands = pytest.mark.parametrize("in_hand", [1, 2])


@in_hands
def test_given_thousands_of_events_when_published_then_all_come_once_in_batches(
    url: str, publisher: RabbitPublisher, in_hand: int
) -> None:
    seen: list[str] = []
    sizes: list[int] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        sizes.append(len(batch))
        seen.extend(decode(d.type, d.body).photo_id for d in batch)
        return []

    publisher.publish(events(2000))
    with Worker(url, work, in_hand=in_hand):
        until(lambda: len(seen) >= 2000, 60)
    assert sorted(seen) == [e.photo_id for e in events(2000)]
    assert max(sizes) == 8
    assert waiting(url) == 0


def test_given_work_longer_than_the_heartbeat_when_done_then_it_is_acknowledged_once(
    url: str, publisher: RabbitPublisher
) -> None:
    runs: list[int] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        runs.append(len(batch))
        time.sleep(21)  # ten times the heartbeat
        return []

    publisher.publish(events(1))
    with Worker(url, work, heartbeat=2):
        until(lambda: len(runs) == 1, 30)
        time.sleep(22)
    assert runs == [1]
    assert waiting(url) == 0


@in_hands
def test_given_work_that_always_fails_when_delivered_too_often_then_it_is_a_dead_letter(
    url: str, publisher: RabbitPublisher, in_hand: int
) -> None:
    runs: list[int] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        runs.append(len(batch))
        raise RuntimeError("boom")

    publisher.publish(events(1))
    with Worker(url, work, in_hand=in_hand):
        until(lambda: waiting(url, QUEUE.dead) == 1, 60)
    assert len(runs) == 4
    assert waiting(url) == 0


@in_hands
def test_given_a_stop_in_the_middle_when_drained_then_the_rest_is_in_the_queue(
    url: str, publisher: RabbitPublisher, in_hand: int
) -> None:
    done: list[str] = []
    begun = threading.Event()

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        begun.set()
        time.sleep(0.5)
        done.extend(decode(d.type, d.body).photo_id for d in batch)
        return []

    publisher.publish(events(30))
    with Worker(url, work, in_hand=in_hand):
        assert begun.wait(30)
    until(lambda: len(done) + waiting(url) == 30, 30)
    rest: list[str] = []

    def finish(batch: Sequence[Delivery]) -> list[Delivery]:
        rest.extend(decode(d.type, d.body).photo_id for d in batch)
        return []

    with Worker(url, finish):
        until(lambda: len(done) + len(rest) == 30, 30)
    assert not set(done) & set(rest)


def test_given_no_broker_when_publishing_then_it_is_unavailable_after_the_patience() -> None:
    bus = RabbitPublisher(Broker(f"amqp://127.0.0.1:{free_port()}/", 3), patience=0.5)
    with pytest.raises(BrokerUnavailable, match="does not answer"):
        bus.publish(events(1))


def test_given_headers_of_a_stranger_when_handled_then_they_do_no_harm(
    url: str, tmp_path: Path
) -> None:
    junk = {"x-delivery-count": "many", "x-published-at": "soon", "traceparent": "x" * 5000}
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        declare(channel, delivery_limit=3)
        for event, headers in (
            (PhotoIngested("c", "0" * 64), junk),
            (PhotoIngested("x" * 100_000, "1" * 64), {"traceparent": 7}),
        ):
            properties = pika.BasicProperties(type=type_name(event), headers=headers)
            channel.basic_publish("", QUEUE.name, encode(event), properties)
    bus, store = RabbitPublisher(Broker(url, 3)), FilesystemBlobStore(tmp_path)
    stamp = ModelStamp("none", "1", "0" * 64)
    stage = Stage(
        "segmentation",
        QUEUE,
        (PhotoIngested,),
        lambda batch: [PhotoSegmented(e.collection, e.photo_id, stamp) for e in batch],
    )
    with Worker(url, Foreman(stage, blobs=store, publisher=bus, delivery_limit=3)):
        until(lambda: waiting(url, QUEUE.dead) == 1, 30)
        until(lambda: waiting(url, "embedding.photos") == 1, 30)
    bus.close()
    assert waiting(url) == 0


def test_given_a_queue_removed_under_a_consumer_then_it_notices_and_consumes_again(
    url: str, publisher: RabbitPublisher
) -> None:
    seen: list[Delivery] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        seen.extend(batch)
        return []

    with Worker(url, work) as worker:
        publisher.publish(events(1))
        until(lambda: len(seen) == 1, 30)
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            connection.channel().queue_delete(QUEUE.name)
        until(lambda: not worker.consumer.connected.is_set(), 30, pause=0.005)
        assert worker.consumer.connected.wait(30)
        publisher.publish(events(2))
        until(lambda: len(seen) == 3, 30)


@in_hands
def test_given_a_pause_when_the_gate_closes_then_all_that_is_held_goes_back(
    url: str, publisher: RabbitPublisher, in_hand: int
) -> None:
    seen: list[Delivery] = []
    gate = Door()

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        time.sleep(0.3)
        seen.extend(batch)
        return []

    publisher.publish(events(200))
    with Worker(url, work, in_hand=in_hand, gate=gate) as worker:
        until(lambda: len(seen) >= 9, 30)
        gate.open = False
        until(lambda: not worker.consumer.connected.is_set(), 30)
        until(lambda: len(seen) + waiting(url) == 200, 30)
        rested = len(seen)
        time.sleep(1)
        assert len(seen) == rested < 200
        gate.open = True
        until(lambda: len(seen) == 200, 60)
    assert len({decode(d.type, d.body).photo_id for d in seen}) == 200


@in_hands
def test_given_a_store_away_for_long_then_all_goes_back_once_and_nobody_consumes_until_it_answers(
    url: str,
    publisher: RabbitPublisher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_hand: int,
) -> None:
    monkeypatch.setattr("fashionmap.entrypoints.stage.LONGEST_WAIT", 0.3)
    gate, counts = Outage(), []

    def handle(batch: Sequence[PhotoIngested]) -> list[PhotoSegmented]:
        if gate.away:
            raise StoreUnavailable("The object store does not answer.")
        stamp = ModelStamp("none", "1", "0" * 64)
        return [PhotoSegmented(e.collection, e.photo_id, stamp) for e in batch]

    stage = Stage("segmentation", QUEUE, (PhotoIngested,), handle)
    store = FilesystemBlobStore(tmp_path)
    foreman = Foreman(stage, blobs=store, publisher=publisher, delivery_limit=3)

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        again = foreman(batch)
        counts.extend(delivery.count for delivery in batch)
        return again

    publisher.publish(events(30))
    with Worker(url, work, in_hand=in_hand, gate=gate) as worker:
        until(lambda: not worker.consumer.connected.is_set(), 30)
        until(lambda: waiting(url) == 30, 30)
        time.sleep(8)  # long enough for many sessions, if anybody tried
        assert waiting(url) == 30
        gate.away = False
        until(lambda: waiting(url, "embedding.photos") == 30, 60)
    assert len(counts) == 30
    assert max(counts) == 1
    assert waiting(url, QUEUE.dead) == 0


class Outage:
    """The gate of a stage whose store is away."""

    away = True
    looked = 0

    def may_start(self) -> bool:
        self.looked += 1
        return self.looked == 1 or not self.away

    def must_stop(self) -> bool:
        return False


def test_given_a_pause_while_a_batch_is_gathered_then_what_goes_back_is_not_worked_on(
    url: str, publisher: RabbitPublisher
) -> None:
    seen: list[Delivery] = []
    gate = Door()

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        time.sleep(1)
        seen.extend(batch)
        return []

    with Worker(url, work, gate=gate, batch_wait=2) as worker:
        publisher.publish(events(1))
        time.sleep(1)
        gate.open = False
        until(lambda: not worker.consumer.connected.is_set(), 30)
        time.sleep(3)
        assert len(seen) + waiting(url) == 1


def test_given_an_outage_when_a_batch_is_given_back_then_no_other_is_begun(
    url: str, publisher: RabbitPublisher
) -> None:
    begun: list[Delivery] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        begun.extend(batch)
        if len(begun) == 1:
            return []  # a session that trusts holds more
        time.sleep(0.5)
        raise StoreUnavailable("The object store does not answer.")

    publisher.publish(events(30))
    with Worker(url, work, batch=1) as worker:
        until(lambda: len(begun) == 2, 30)
        until(lambda: not worker.consumer.connected.is_set(), 30, pause=0.05)
        assert len(begun) == 2
        until(lambda: waiting(url) == 29, 10)
