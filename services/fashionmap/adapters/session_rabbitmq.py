"""One connection that consumes one queue, from its opening to its end."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import pika
import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosed, ConnectionWrongStateError

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.topology import Queue, declare

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Delivery:
    """A message as it came.

    Attributes:
        tag: Delivery tag on its channel.
        session: Which connection it came by: tags of another mean nothing.
        type: AMQP property ``type``.
        body: Bytes.
        headers: AMQP headers.
        count: How often it was delivered before.
    """

    tag: int
    session: "Session"
    type: str
    body: bytes
    headers: dict[str, Any] = field(default_factory=dict)
    count: int = 0


class Session:
    """A connection with one consumer. All but ``settle`` belongs to the thread that opened it.

    It begins with one message at a time and takes its full share only when a message comes that
    was never delivered before. So a message that kills its consumer takes no other with it: each
    that is held at a crash has one delivery less before it counts as dead.
    """

    def __init__(
        self,
        broker: Broker,
        queue: Queue,
        held: "SimpleQueue[Delivery | threading.Event]",
        *,
        heartbeat: int,
        prefetch: int,
    ) -> None:
        self._queue, self._held, self._prefetch = queue, held, prefetch
        self._unsettled: set[int] = set()
        self._trusting = self._cancelled = False
        self.ending = False
        self._connection = pika.BlockingConnection(broker.parameters(heartbeat=heartbeat))
        self._share = 1
        try:
            self._channel: BlockingChannel = self._connection.channel()
            declare(self._channel, delivery_limit=broker.delivery_limit)
            self._channel.add_on_cancel_callback(self._on_cancel)
            self._tag = self._subscribe()
        except AMQPError:
            self.close()
            raise

    def turn(self, seconds: float) -> None:
        """Lets messages and acknowledgements pass; ``AMQPError`` where the consumer is lost."""
        self._connection.process_data_events(time_limit=seconds)
        if not self._channel.is_open or self._cancelled:
            reason = getattr(self._channel, "_closing_reason", None)
            raise reason or ChannelClosed(0, "the broker cancelled the consumer")
        if self._trusting and self._share < self._prefetch and not self.ending:
            self._channel.basic_cancel(self._tag)
            self._share = self._prefetch
            self._tag = self._subscribe()

    def settle(self, deliveries: Sequence[Delivery], *, acknowledge: bool) -> None:
        """Acknowledges messages, or gives them back; from any thread. Nothing if it is over."""
        tags = [delivery.tag for delivery in deliveries]
        if not tags:
            return
        try:
            self._connection.add_callback_threadsafe(lambda: self._settle(tags, acknowledge))
        except (ConnectionWrongStateError, OSError):
            log.info("acknowledgement lost with its connection", queue=self._queue.name)

    def end(self, rests: threading.Event, *, worker: threading.Thread) -> None:
        """Takes no more, waits for the batches in hand, gives back what it only held."""
        self.ending = True
        self._channel.basic_cancel(self._tag)
        self._held.put(rests)  # the worker sets it when it comes to it, with nothing in hand
        while worker.is_alive() and not rests.is_set():
            self._connection.process_data_events(time_limit=0.05)
        self._connection.process_data_events(time_limit=0)
        if self._unsettled:
            # an explicit nack: from RabbitMQ 4.3 on it does not count as a failed delivery
            self._channel.basic_nack(0, multiple=True, requeue=True)
        self.close()

    def close(self) -> None:
        """Closes the connection, whatever state it is in."""
        try:
            if self._connection.is_open:
                self._connection.close()
        except (AMQPError, OSError):
            log.debug("connection was gone", queue=self._queue.name)

    def _subscribe(self) -> str:
        self._channel.basic_qos(prefetch_count=self._share)
        tag: str = self._channel.basic_consume(self._queue.name, self._hold)
        return tag

    def _hold(
        self,
        _channel: BlockingChannel,
        method: pika.spec.Basic.Deliver,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        headers = dict(properties.headers or {})
        known = headers.get("x-delivery-count")
        count = known if isinstance(known, int) and known > 0 else int(method.redelivered)
        self._trusting = self._trusting or count == 0
        self._unsettled.add(method.delivery_tag)
        tag, type_ = method.delivery_tag, properties.type or ""
        self._held.put(Delivery(tag, self, type_, body, headers, count))

    def _settle(self, tags: Sequence[int], acknowledge: bool) -> None:
        for tag in tags:
            if tag not in self._unsettled or not self._channel.is_open:
                continue
            self._unsettled.discard(tag)
            if acknowledge:
                self._channel.basic_ack(tag)
            else:
                self._channel.basic_reject(tag, requeue=True)

    def _on_cancel(self, _frame: pika.frame.Method) -> None:
        self._cancelled = True
