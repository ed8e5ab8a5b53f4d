"""Publishing with many confirms in flight."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pika
from pika.exceptions import AMQPError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from fashionmap.adapters.codec import encode, routing_key, type_name
from fashionmap.adapters.topology import EVENTS, declare
from fashionmap.domain.events import Event, MapUpdated
from fashionmap.errors import BrokerUnavailable

IN_FLIGHT = 512
"""Messages that wait for their confirms at most."""


@dataclass(frozen=True)
class Letter:
    """A message ready to be sent.

    Attributes:
        exchange: Where to.
        key: Routing key.
        body: Bytes.
        type: AMQP property ``type``.
        headers: AMQP headers.
        mandatory: Whether it must reach a queue.
    """

    exchange: str
    key: str
    body: bytes
    type: str
    headers: dict[str, str] = field(default_factory=dict)
    mandatory: bool = True


class RabbitPublisher:
    """The ``Publisher`` port. One connection, opened when needed, for one thread at a time.

    Confirms are read while more is sent: pika's own blocking confirm waits for each message alone.
    """

    def __init__(self, url: str, *, delivery_limit: int, patience: float = 60.0) -> None:
        self._parameters = pika.URLParameters(url)
        self._delivery_limit, self._patience = delivery_limit, patience
        self._connection: pika.BlockingConnection | None = None
        self._lock = threading.Lock()

    def publish(self, events: Sequence[Event]) -> None:
        """Returns when the broker has confirmed all; ``BrokerUnavailable`` after the patience."""
        self.send([letter_of(event) for event in events])

    def send(self, letters: Sequence[Letter]) -> None:
        """``publish`` for ready letters. A broken connection sends what is unconfirmed again."""
        waiting = deque(letters)
        if not waiting:
            return
        with self._lock:
            for attempt in Retrying(
                retry=retry_if_exception_type(BrokerUnavailable),
                wait=wait_random_exponential(multiplier=0.2, max=5),
                stop=stop_after_delay(self._patience),
                reraise=True,
            ):
                with attempt:
                    self._send(waiting)

    def close(self) -> None:
        """Closes the connection."""
        with self._lock:
            self._drop()

    def _send(self, waiting: "deque[Letter]") -> None:
        try:
            channel = self._channel()
            while waiting:
                chunk = [waiting[i] for i in range(min(IN_FLIGHT, len(waiting)))]
                self._flight(channel, chunk)
                for _ in chunk:
                    waiting.popleft()
        except (AMQPError, OSError) as error:
            self._drop()
            raise BrokerUnavailable(f"The message broker does not answer: {error!r}.") from error

    def _flight(self, channel: "_Confirming", letters: Sequence[Letter]) -> None:
        """Sends all, then waits until all are confirmed."""
        for letter in letters:
            channel.send(letter)
        deadline = time.monotonic() + 30
        while channel.unconfirmed:
            assert self._connection is not None
            self._connection.process_data_events(time_limit=1)
            if channel.refused or time.monotonic() > deadline:
                self._drop()
                raise BrokerUnavailable("The message broker did not take a message.")

    def _channel(self) -> "_Confirming":
        if self._connection is None or self._connection.is_closed:
            self._connection = pika.BlockingConnection(self._parameters)
            channel = self._connection.channel()
            declare(channel, delivery_limit=self._delivery_limit)
            self._confirming = _Confirming(channel)
        return self._confirming

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            with suppress(AMQPError, OSError):
                connection.close()


class _Confirming:
    """A channel in confirm mode whose confirms are counted as they come."""

    def __init__(self, channel: pika.adapters.blocking_connection.BlockingChannel) -> None:
        # the channel below the blocking one tells of each confirm instead of waiting for it
        self._channel = channel._impl
        self._next = 1
        self.unconfirmed: set[int] = set()
        self.refused = False
        channel._impl.confirm_delivery(self._confirmed, lambda _: None)
        channel._impl.add_on_return_callback(self._returned)
        channel.connection.process_data_events(time_limit=0.05)

    def send(self, letter: Letter) -> None:
        properties = pika.BasicProperties(
            content_type="application/protobuf",
            type=letter.type,
            delivery_mode=2,
            headers=letter.headers or None,
        )
        self._channel.basic_publish(
            letter.exchange, letter.key, letter.body, properties, mandatory=letter.mandatory
        )
        self.unconfirmed.add(self._next)
        self._next += 1

    def _confirmed(self, frame: pika.frame.Method) -> None:
        tag, method = frame.method.delivery_tag, frame.method
        self.refused = self.refused or isinstance(method, pika.spec.Basic.Nack)
        if method.multiple:
            self.unconfirmed = {t for t in self.unconfirmed if t > tag}
        else:
            self.unconfirmed.discard(tag)

    def _returned(self, *_: object) -> None:
        """No queue took it: with our topology declared that cannot last."""
        self.refused = True


def letter_of(event: Event) -> Letter:
    """The message of an event; nobody has to listen to ``map.updated``."""
    mandatory = not isinstance(event, MapUpdated)
    return Letter(EVENTS, routing_key(event), encode(event), type_name(event), mandatory=mandatory)
