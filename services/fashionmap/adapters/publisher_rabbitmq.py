"""Publishing: many confirms in flight, and again what a broken connection left unconfirmed."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from pika.exceptions import AMQPError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from fashionmap.adapters.broker import Broker, trouble_of
from fashionmap.adapters.codec import encode, routing_key, type_name
from fashionmap.adapters.topology import EVENTS
from fashionmap.adapters.wire_rabbitmq import Letter, Wire
from fashionmap.domain.events import CollectionGrew, Event, MapUpdated
from fashionmap.errors import BrokerUnavailable, QueueMadeOtherwise


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
                retry=retry_if_exception(_may_pass),
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
            raise trouble_of(error) from error

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()


def _may_pass(error: BaseException) -> bool:
    """Whether trying again may help without anybody's doing."""
    return isinstance(error, BrokerUnavailable) and not isinstance(error, QueueMadeOtherwise)


def letter_of(event: Event, *, headers: Mapping[str, Any] | None = None) -> Letter:
    """The message of an event; nobody has to listen to ``map.updated``."""
    mandatory = not isinstance(event, MapUpdated)
    key, type_ = routing_key(event), type_name(event)
    wait = event.wait if isinstance(event, CollectionGrew) else None
    about = dict(headers or {})
    return Letter(EVENTS, key, encode(event), type_, about, mandatory=mandatory, wait=wait)
