"""Two batches in hand over the real RabbitMQ: they overlap, end together, and poison goes alone."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from fashionmap.adapters.codec import decode
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.session_rabbitmq import Delivery
from tests.consuming import Door, Worker, events, waiting
from tests.processes import until

pytestmark = pytest.mark.services


def photos(batch: Sequence[Delivery]) -> list[str]:
    return [decode(d.type, d.body).photo_id for d in batch]


class Table:
    """Who is in hand, and beside whom each batch was."""

    def __init__(self) -> None:
        self.now: list[Sequence[Delivery]] = []
        self.beside: list[tuple[Sequence[Delivery], Sequence[Delivery]]] = []
        self.most, self._lock = 0, threading.Lock()

    @contextmanager
    def holding(self, batch: Sequence[Delivery]) -> Iterator[None]:
        with self._lock:
            self.beside += [(batch, other) for other in self.now]
            self.now.append(batch)
            self.most = max(self.most, len(self.now))
        try:
            yield
        finally:
            with self._lock:
                self.now.remove(batch)


@pytest.mark.parametrize("in_hand", [1, 2])
def test_given_a_batch_at_work_then_so_many_are_in_hand_and_never_more(
    url: str, publisher: RabbitPublisher, in_hand: int
) -> None:
    table, done = Table(), []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        with table.holding(batch):
            time.sleep(0.05)
        done.extend(photos(batch))
        return []

    publisher.publish(events(100))
    with Worker(url, work, in_hand=in_hand):
        until(lambda: len(done) >= 100, 60)
    assert table.most == in_hand
    assert sorted(done) == [e.photo_id for e in events(100)]
    assert waiting(url) == 0


def test_given_two_in_hand_then_the_broker_sends_a_third_batch_ahead(
    url: str, publisher: RabbitPublisher
) -> None:
    over = threading.Event()

    def work(_batch: Sequence[Delivery]) -> list[Delivery]:
        over.wait(30)
        return []

    publisher.publish(events(200))
    with Worker(url, work, in_hand=2, batch=20):
        held = 1 + 3 * 20  # a session's first message, then its share
        until(lambda: waiting(url) == 200 - held, 30)
        time.sleep(0.5)
        assert waiting(url) == 200 - held
        over.set()
        until(lambda: waiting(url) == 0, 30)


@pytest.mark.parametrize("end", ["stop", "pause"])
def test_given_an_end_with_two_in_hand_then_both_are_acknowledged_and_the_rest_goes_back(
    url: str, publisher: RabbitPublisher, end: str
) -> None:
    begun, done, over = [], [], threading.Event()

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        begun.extend(photos(batch))
        if len(batch) == 8:
            over.wait(30)
            time.sleep(1 if begun.index(photos(batch)[0]) >= 8 else 0)  # one after the other
        done.extend(photos(batch))
        return []

    publisher.publish(events(60))
    gate = Door()
    with Worker(url, work, in_hand=2, gate=gate) as worker:
        until(lambda: len(begun) - len(done) == 16, 30)
        assert waiting(url) < 60 - len(begun)  # more is held
        if end == "stop":
            worker.consumer.stop()
        gate.open = False
        time.sleep(0.5)
        over.set()
        until(lambda: not worker.consumer.connected.is_set(), 30)
        assert sorted(done) == sorted(begun)
        until(lambda: waiting(url) == 60 - len(done), 10)
    rest: list[Delivery] = []
    with Worker(url, lambda batch: rest.extend(batch) or [], in_hand=2):
        until(lambda: len(done) + len(rest) == 60, 30)
    assert not set(done) & set(photos(rest))


def test_given_messages_delivered_before_then_nothing_else_is_in_hand_beside_them(
    url: str, publisher: RabbitPublisher
) -> None:
    table, stumbled, done = Table(), set(), []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        with table.holding(batch):
            time.sleep(0.03)
        again = [d for d in batch if d.count == 0 and int(photos([d])[0]) % 17 == 0]
        stumbled.update(photos(again))
        done.extend(photos([d for d in batch if d not in again]))
        return again

    publisher.publish(events(150))
    with Worker(url, work, in_hand=2):
        until(lambda: len(done) >= 150, 60)
    assert sorted(done) == [e.photo_id for e in events(150)]
    assert len(stumbled) == 9
    assert len(table.beside) > 5
    assert not [pair for pair in table.beside if pair[0][0].count or pair[1][0].count]


def test_given_a_worker_that_dies_then_the_other_batch_is_acknowledged_and_the_consumer_ends(
    url: str, publisher: RabbitPublisher
) -> None:
    two, done = threading.Barrier(2), []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        if len(batch) == 8:
            if two.wait(5) == 0:
                raise SystemExit
            time.sleep(1)
        done.extend(photos(batch))
        return []

    publisher.publish(events(60))
    worker = Worker(url, work, in_hand=2)
    with ThreadPoolExecutor(1) as pool:
        end = pool.submit(worker.consumer.run)
        try:
            with pytest.raises(RuntimeError, match="died"):
                end.result(20)
        finally:
            worker.consumer.stop()
    assert len(done) >= 8
    assert waiting(url) == 60 - len(done)
    assert worker.consumer.busy_for() == 0


def test_given_two_in_hand_then_the_consumer_is_busy_since_the_older_one_began(
    url: str, publisher: RabbitPublisher
) -> None:
    ends = [threading.Event(), threading.Event()]
    begun: list[float] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        number = len(begun)
        begun.append(time.monotonic())
        ends[number].wait(30)
        return []

    with Worker(url, work, in_hand=2) as worker:
        publisher.publish(events(1))
        until(lambda: len(begun) == 1, 30)
        time.sleep(1)
        publisher.publish(events(1))
        until(lambda: len(begun) == 2, 30)
        assert 0.9 < worker.consumer.busy_for() - (time.monotonic() - begun[1]) < 5
        ends[0].set()
        until(lambda: worker.consumer.busy_for() <= time.monotonic() - begun[1] + 0.5, 10)
        assert worker.consumer.busy_for() > 0
        ends[1].set()
        until(lambda: worker.consumer.busy_for() == 0, 10)
