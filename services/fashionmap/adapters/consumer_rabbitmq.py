"""Consuming: the connection on one thread, the work on another, in micro-batches."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import pika
import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from fashionmap.adapters.topology import Queue, declare

log = structlog.get_logger()


@dataclass(frozen=True)
class Delivery:
    """A message as it came.

    Attributes:
        tag: Delivery tag on its channel.
        session: Which connection it came by: tags of an earlier one mean nothing any more.
        type: AMQP property ``type``.
        body: Bytes.
    """

    tag: int
    session: int
    type: str
    body: bytes


Work = Callable[[Sequence[Delivery]], None]
"""Handles a batch whole: what it must publish is confirmed when it returns. It never raises for
one message; a raised error means that all are to be delivered again."""


class RabbitConsumer:
    """Consumes one queue until ``stop``; reconnects with growing, jittered waits.

    Each message is acknowledged after its batch is handled. On ``stop`` the batch in hand is
    finished, and what is only held goes back to the queue.
    """

    def __init__(
        self,
        url: str,
        queue: Queue,
        work: Work,
        *,
        heartbeat: int,
        delivery_limit: int,
        batch: int,
        batch_wait: float,
    ) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.heartbeat = heartbeat
        self._queue, self._work, self._delivery_limit = queue, work, delivery_limit
        self._batch, self._batch_wait = batch, batch_wait
        self._held: SimpleQueue[Delivery] = SimpleQueue()
        self._stopping, self._session = threading.Event(), 0
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self.connected = threading.Event()

    def run(self) -> None:
        """Consumes on the calling thread until ``stop``."""
        self._worker = threading.Thread(target=self._labour, name=f"{self._queue.name}-work")
        self._worker.start()
        attempt = 0
        while not self._stopping.is_set():
            try:
                self._consume()
                attempt = 0
            except (AMQPError, OSError) as error:
                attempt = 0 if self.connected.is_set() else attempt + 1
                self.connected.clear()
                self._log_loss(error, attempt)
                self._stopping.wait(random.uniform(0.1, 0.2 * 2 ** min(attempt, 6)))
        self._worker.join()
        self._close()

    def stop(self) -> None:
        """Lets ``run`` return after the batch in hand."""
        self._stopping.set()

    def _consume(self) -> None:
        self._connection = pika.BlockingConnection(self._parameters)
        self._channel = self._connection.channel()
        declare(self._channel, delivery_limit=self._delivery_limit)
        self._channel.basic_qos(prefetch_count=max(self._queue.prefetch, 2 * self._batch))
        if self._queue.single:
            self._channel.basic_qos(prefetch_count=1)
        self._session += 1
        session = self._session

        def hold(
            _channel: BlockingChannel,
            method: pika.spec.Basic.Deliver,
            properties: pika.BasicProperties,
            body: bytes,
        ) -> None:
            self._held.put(Delivery(method.delivery_tag, session, properties.type or "", body))

        self._channel.basic_consume(self._queue.name, hold)
        self.connected.set()
        log.info("consuming", queue=self._queue.name)
        while not self._stopping.is_set() and self._channel.is_open:
            self._connection.process_data_events(time_limit=0.2)
        self._drain()

    def _drain(self) -> None:
        """Keeps the connection alive until the worker has ended its batch."""
        while self._worker.is_alive():
            assert self._connection is not None
            self._connection.process_data_events(time_limit=0.05)

    def _close(self) -> None:
        """Closing gives unacknowledged messages back to the queue."""
        try:
            if self._connection is not None and self._connection.is_open:
                self._connection.process_data_events(time_limit=0)
                self._connection.close()
        except (AMQPError, OSError):
            pass

    def _labour(self) -> None:
        while not self._stopping.is_set():
            if batch := self._gather():
                self._handle(batch)

    def _gather(self) -> list[Delivery]:
        """A micro-batch: the first message, and what comes within the wait."""
        batch: list[Delivery] = []
        deadline = time.monotonic() + 0.2
        while len(batch) < self._batch:
            try:
                delivery = self._held.get(timeout=max(deadline - time.monotonic(), 0.001))
            except Empty:
                break
            if delivery.session != self._session:
                continue  # of a lost connection: the broker delivers it anew
            if not batch:
                deadline = time.monotonic() + self._batch_wait
            batch.append(delivery)
        return batch

    def _handle(self, batch: Sequence[Delivery]) -> None:
        try:
            self._work(batch)
        except Exception as error:
            log.error("batch failed", queue=self._queue.name, error=repr(error), size=len(batch))
            self._stopping.wait(random.uniform(0.5, 1.5))
            self._settle(batch, acknowledge=False)
        else:
            self._settle(batch, acknowledge=True)

    def _settle(self, batch: Sequence[Delivery], *, acknowledge: bool) -> None:
        connection, channel = self._connection, self._channel
        if connection is None or channel is None or batch[0].session != self._session:
            return

        def settle() -> None:
            for delivery in batch:
                if channel.is_open and acknowledge:
                    channel.basic_ack(delivery.tag)
                elif channel.is_open:
                    channel.basic_reject(delivery.tag, requeue=True)

        try:
            connection.add_callback_threadsafe(settle)
        except AMQPError:
            log.info("acknowledgement lost with its connection", queue=self._queue.name)

    def _log_loss(self, error: Exception, attempt: int) -> None:
        """The first loss, then fewer and fewer words."""
        if attempt & (attempt - 1) == 0:
            log.warning("broker away", queue=self._queue.name, attempt=attempt, error=repr(error))
