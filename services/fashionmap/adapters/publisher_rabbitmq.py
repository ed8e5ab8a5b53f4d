"""Publishing: many confirms in flight, and again what a broken connection left unconfirmed."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from pika.exceptions import AMQPError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.codec import encode, routing_key, type_name
from fashionmap.adapters.topology import EVENTS
from fashionmap.adapters.wire_rabbitmq import Letter, Wire
from fashionmap.domain.events import Event, MapUpdated
from fashionmap.errors import BrokerUnavailable


class RabbitPublisher:
    """The ``Publisher`` port. One connection, opened when needed; threads take turns."""

    def __init__(self, broker: Broker, *, patience: float = 60.0) -> None:
        self._broker, self._patience = broker, patience
        self._wire: Wire | None = None
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
            if self._wire is None:
                self._wire = Wire(self._broker)
            self._wire.send(waiting)
        except BrokerUnavailable:
            self._drop()
            raise
        except (AMQPError, OSError) as error:
            self._drop()
            raise BrokerUnavailable(f"The message broker does not answer: {error!r}.") from error

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()


def letter_of(event: Event, *, headers: Mapping[str, Any] | None = None) -> Letter:
    """The message of an event; nobody has to listen to ``map.updated``."""
    mandatory = not isinstance(event, MapUpdated)
    key, type_ = routing_key(event), type_name(event)
    return Letter(EVENTS, key, encode(event), type_, dict(headers or {}), mandatory=mandatory)
