"""Consuming: the connection on one thread, the work on another, in micro-batches."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import Protocol

import structlog
from pika.exceptions import AMQPError

from fashionmap.adapters.broker import Broker, trouble_of
from fashionmap.adapters.hands import Hands
from fashionmap.adapters.session_rabbitmq import Delivery, Session
from fashionmap.adapters.topology import Queue
from fashionmap.errors import TransientError

log = structlog.get_logger()

Work = Callable[[Sequence[Delivery]], Sequence[Delivery]]
"""Handles a batch and returns those that are to be delivered again; all others are done, and what
they publish is confirmed, when it returns. ``TransientError``: something is away for long. With
several batches in hand it is called by a thread each."""


class Gate(Protocol):
    """Says whether a queue may be consumed."""

    def may_start(self) -> bool:
        """Whether consuming makes sense now."""

    def must_stop(self) -> bool:
        """Whether a consumer at work must stop."""


class AlwaysOpen:
    """The gate of a consumer that nobody pauses."""

    def may_start(self) -> bool:
        """Yes."""
        return True

    def must_stop(self) -> bool:
        """No."""
        return False


class RabbitConsumer:
    """Consumes one queue until ``stop``; reconnects with growing, jittered waits.

    Each message is acknowledged after its batch is handled. With ``in_hand`` beyond 1, the next
    batch is begun before the last has ended. On ``stop``, on a pause and when something is away
    for long, the batches in hand are ended and what is only held goes back.
    """

    def __init__(
        self,
        broker: Broker,
        queue: Queue,
        work: Work,
        *,
        heartbeat: int,
        batch: int,
        batch_wait: float,
        in_hand: int = 1,
        gate: Gate | None = None,
    ) -> None:
        self._broker, self._queue, self._work = broker, queue, work
        self._heartbeat, self._gate = heartbeat, gate or AlwaysOpen()
        self._batch, self._batch_wait = batch, batch_wait
        share = max(queue.prefetch, (in_hand + 1) * batch)
        self._prefetch = 1 if queue.one_by_one else share
        self._held: SimpleQueue[Delivery | threading.Event] = SimpleQueue()
        self._next: Delivery | None = None
        self._rests: threading.Event | None = None
        self._stopping, self._wary = threading.Event(), threading.Event()
        self._hands = Hands(in_hand, self._handle, name=f"{queue.name}-work")
        self._gatherer = threading.Thread(target=self._labour, name=f"{queue.name}-gather")
        self.connected = threading.Event()

    def run(self) -> None:
        """Consumes on the calling thread until ``stop``; ``RuntimeError`` if a worker died."""
        self._gatherer.start()
        attempt = 0
        try:
            while not self._stopping.is_set():
                attempt = self._attempt(attempt)
        finally:
            self.connected.clear()
            self._stopping.set()
            self._gatherer.join()

    def stop(self) -> None:
        """Lets ``run`` return after the batches in hand."""
        self._stopping.set()

    def busy_for(self) -> float:
        """Seconds since the oldest batch in hand began; 0 where there is none."""
        return self._hands.busy_for()

    def _attempt(self, attempt: int) -> int:
        """One session, or a wait for one; returns how many in a row have failed."""
        if not self._gate.may_start():
            self._stopping.wait(random.uniform(0.3, 0.7))
            return 0
        try:
            self._consume()
        except (AMQPError, OSError) as error:
            attempt = 1 if self.connected.is_set() else attempt + 1
            self.connected.clear()
            self._log_loss(error, attempt)
            self._stopping.wait(random.uniform(0.1, 0.2 * 2 ** min(attempt, 6)))
            return attempt
        return 0

    def _consume(self) -> None:
        self._wary.clear()
        session = Session(
            self._broker,
            self._queue,
            self._held,
            heartbeat=self._heartbeat,
            prefetch=self._prefetch,
        )
        self.connected.set()
        log.info("consuming", queue=self._queue.name)
        try:
            while not self._must_end():
                session.turn(0.2)
            session.end(threading.Event(), worker=self._gatherer)
        finally:
            session.ending = True
            session.close()
        self.connected.clear()
        log.info("consuming no more", queue=self._queue.name)
        if not (self._gatherer.is_alive() or self._stopping.is_set()):
            raise RuntimeError(f"A worker of {self._queue.name} died.")
        if self._wary.is_set():
            self._stopping.wait(random.uniform(2, 6))

    def _must_end(self) -> bool:
        """Whether the session ends: by a stop, a pause, an outage, or a worker's death."""
        told = self._stopping.is_set() or self._wary.is_set() or not self._gatherer.is_alive()
        return told or self._gate.must_stop()

    def _labour(self) -> None:
        try:
            with closing(self._hands):
                while not self._stopping.is_set():
                    self._turn()
        except BaseException as error:  # a worker's, whatever it was: ``run`` raises for it
            log.error("worker died", queue=self._queue.name, error=repr(error))

    def _turn(self) -> None:
        """Gathers a batch and hands it over; tells a session that ends when nothing is in hand."""
        if batch := self._gather():
            self._hand_over(batch)
        if self._rests is not None:
            self._hands.empty()
            self._rests.set()
            self._rests = None
        self._hands.wait_for_one()

    def _hand_over(self, batch: Sequence[Delivery]) -> None:
        """To a thread. What was delivered before may end its consumer: nothing else is in hand."""
        alone = batch[0].count > 0
        if alone:
            self._hands.empty()
        self._hands.take(batch)
        if alone:
            self._hands.empty()

    def _gather(self) -> list[Delivery]:
        """A micro-batch: the first message, and what comes within the wait.

        A message that was delivered before may be what ended its consumer: it goes alone.
        """
        batch: list[Delivery] = []
        deadline = time.monotonic() + 0.2
        while len(batch) < self._batch:
            delivery = self._take(max(deadline - time.monotonic(), 0.001))
            if delivery is None:
                break
            if batch and delivery.count:
                self._next = delivery
                break
            if not batch:
                deadline = time.monotonic() + self._batch_wait
            batch.append(delivery)
            if delivery.count:
                break
        return batch

    def _take(self, seconds: float) -> Delivery | None:
        """The next message of a session that goes on; None where none comes in time.

        After the last of a session that ends comes the event that tells that nothing is in hand.
        """
        delivery, self._next = self._next, None
        while delivery is None or delivery.session.ending or self._wary.is_set():
            try:
                item = self._held.get(timeout=seconds)
            except Empty:
                return None
            if isinstance(item, threading.Event):
                self._rests = item
                return None
            delivery = item
        return delivery

    def _handle(self, batch: Sequence[Delivery]) -> None:
        try:
            again = self._work(batch)
        except TransientError as error:
            log.warning("giving back", queue=self._queue.name, error=str(error), size=len(batch))
            self._wary.set()
            return
        except Exception as error:
            log.error("batch failed", queue=self._queue.name, error=repr(error), size=len(batch))
            again = batch
        if again:
            self._stopping.wait(random.uniform(0.3, 0.9))
        for session in {delivery.session for delivery in batch}:
            own = [delivery for delivery in batch if delivery.session is session]
            session.settle([d for d in own if d not in again], acknowledge=True)
            session.settle([d for d in own if d in again], acknowledge=False)

    def _log_loss(self, error: Exception, attempt: int) -> None:
        """The first loss, then fewer and fewer words."""
        if attempt & (attempt - 1) == 0:
            trouble = str(trouble_of(error))
            log.warning("broker away", queue=self._queue.name, attempt=attempt, error=trouble)
