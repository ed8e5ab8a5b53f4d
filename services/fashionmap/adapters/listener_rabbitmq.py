"""Overhearing every event, and the lengths of the queues; takes no work from anybody."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pika
import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from fashionmap.adapters.broker import trouble_of
from fashionmap.adapters.codec import decode
from fashionmap.adapters.topology import EVENTS, QUEUES, declare
from fashionmap.domain.events import Event
from fashionmap.errors import MessageRejected

log = structlog.get_logger()
COUNT_EVERY = 2.0
"""Seconds between two looks at the queues."""


@dataclass(frozen=True)
class QueueLength:
    """What waits in a queue.

    Attributes:
        name: Of the queue.
        waiting: Messages ready to be taken.
        dead: Messages in its dead-letter queue.
        consumers: Who takes from it.
    """

    name: str
    waiting: int
    dead: int
    consumers: int


class RabbitListener(threading.Thread):
    """Tells ``heard`` of every event on a queue of its own that ends with its connection."""

    def __init__(
        self,
        parameters: Callable[[], pika.connection.Parameters],
        heard: Callable[[Event], None],
        *,
        delivery_limit: int,
    ) -> None:
        super().__init__(name="listener", daemon=True)
        self._parameters, self._heard, self._limit = parameters, heard, delivery_limit
        self._stopping = threading.Event()
        self.connected = threading.Event()
        self.lengths: list[QueueLength] = []

    def run(self) -> None:
        """Listens until ``stop``; reconnects with growing, jittered waits."""
        attempt = 0
        while not self._stopping.is_set():
            try:
                self._listen()
                attempt = 0
            except (AMQPError, OSError) as error:
                attempt = 0 if self.connected.is_set() else attempt + 1
                self.connected.clear()
                log.warning("broker away", listener=True, error=str(trouble_of(error)))
                self._stopping.wait(random.uniform(0.2, 0.4 * 2 ** min(attempt, 6)))

    def stop(self) -> None:
        """Lets ``run`` return soon."""
        self._stopping.set()

    def _listen(self) -> None:
        connection = pika.BlockingConnection(self._parameters())
        channel = connection.channel()
        declare(channel, delivery_limit=self._limit)
        own = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
        channel.queue_bind(own, EVENTS, "#")
        channel.basic_consume(own, self._take, auto_ack=True)
        self.connected.set()
        while not self._stopping.is_set():
            self.lengths = [_length(channel, name) for name in QUEUES]
            connection.process_data_events(time_limit=COUNT_EVERY)
        connection.close()

    def _take(
        self,
        _channel: BlockingChannel,
        _method: pika.spec.Basic.Deliver,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        try:
            self._heard(decode(properties.type or "", body))
        except MessageRejected:
            return  # its stage says so


def _length(channel: BlockingChannel, name: str) -> QueueLength:
    live = channel.queue_declare(name, passive=True).method
    dead = channel.queue_declare(QUEUES[name].dead, passive=True).method
    return QueueLength(name, live.message_count, dead.message_count, live.consumer_count)
