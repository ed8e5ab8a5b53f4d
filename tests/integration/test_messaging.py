"""Publishing and consuming over the real RabbitMQ."""

import threading
import time
from collections.abc import Iterator, Sequence

import pika
import pytest

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.codec import decode
from fashionmap.adapters.consumer_rabbitmq import RabbitConsumer
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.session_rabbitmq import Delivery
from fashionmap.adapters.topology import QUEUES
from fashionmap.domain.events import PhotoIngested
from fashionmap.errors import BrokerUnavailable
from tests.processes import until
from tests.servers import Servers, free_port

pytestmark = pytest.mark.services
QUEUE = QUEUES["segmentation.photos"]


@pytest.fixture
def url(servers: Servers) -> str:
    """A virtual host of its own."""
    return servers.fresh()["FASHIONMAP_AMQP_URL"]


@pytest.fixture
def publisher(url: str) -> Iterator[RabbitPublisher]:
    bus = RabbitPublisher(Broker(url, 3))
    yield bus
    bus.close()


class Worker:
    """A consumer on a thread, whose work is given."""

    def __init__(self, url: str, work, **settings) -> None:
        defaults = {"heartbeat": 30, "batch": 8, "batch_wait": 0.02}
        self.consumer = RabbitConsumer(Broker(url, 3), QUEUE, work, **{**defaults, **settings})
        self.thread = threading.Thread(target=self.consumer.run)

    def __enter__(self) -> "Worker":
        self.thread.start()
        assert self.consumer.connected.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


def events(count: int) -> list[PhotoIngested]:
    return [PhotoIngested("c", f"{i:064d}") for i in range(count)]


def waiting(url: str, name: str = QUEUE.name) -> int:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        return connection.channel().queue_declare(name, passive=True).method.message_count


def test_given_thousands_of_events_when_published_then_all_come_once_in_batches(
    url: str, publisher: RabbitPublisher
) -> None:
    seen: list[str] = []
    sizes: list[int] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        sizes.append(len(batch))
        seen.extend(decode(d.type, d.body).photo_id for d in batch)
        return []

    publisher.publish(events(2000))
    with Worker(url, work):
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


def test_given_work_that_always_fails_when_delivered_too_often_then_it_is_a_dead_letter(
    url: str, publisher: RabbitPublisher
) -> None:
    runs: list[int] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        runs.append(len(batch))
        raise RuntimeError("boom")

    publisher.publish(events(1))
    with Worker(url, work):
        until(lambda: waiting(url, QUEUE.dead) == 1, 60)
    assert len(runs) == 4
    assert waiting(url) == 0


def test_given_a_stop_in_the_middle_when_drained_then_the_rest_is_in_the_queue(
    url: str, publisher: RabbitPublisher
) -> None:
    done: list[str] = []
    begun = threading.Event()

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        begun.set()
        time.sleep(0.5)
        done.extend(decode(d.type, d.body).photo_id for d in batch)
        return []

    publisher.publish(events(30))
    with Worker(url, work):
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
