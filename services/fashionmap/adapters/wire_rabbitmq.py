"""One connection in confirm mode, with many messages in flight."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pika
from pika.channel import Channel
from pika.exceptions import AMQPError

from fashionmap.adapters.broker import Broker, trouble_of
from fashionmap.adapters.topology import PUBLISHED_AT, declare

IN_FLIGHT = 512
"""Messages that wait for their confirms at most."""
CONFIRM_SECONDS = 30.0
"""Without any confirm for so long, the connection is given up."""
CLOSE_SECONDS = 3.0


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
        wait: Seconds after which its queue passes it on.
    """

    exchange: str
    key: str
    body: bytes
    type: str
    headers: dict[str, Any] = field(default_factory=dict)
    mandatory: bool = True
    wait: float | None = None


class Wire:
    """A connection that runs only while somebody waits on it, so it has no heartbeat.

    pika's blocking channel waits for the confirm of each message alone; here confirms are counted
    as they come, and each makes room for the next message.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker, self._ready, self._lost = broker, False, ""
        self._channel: Channel | None = None
        self._over = False
        self._done: Callable[[], bool] = lambda: self._ready
        self._waiting: deque[Letter] = deque()
        self._flying: dict[int, Letter] = {}
        self._sent, self._heard = 0, time.monotonic()
        self._connection = pika.SelectConnection(
            broker.parameters(heartbeat=0),
            on_open_callback=self._opened,
            on_open_error_callback=self._gone,
            on_close_callback=self._gone,
        )
        try:
            self._run_until(lambda: self._ready)
        except BaseException:
            self.close()
            raise

    def send(self, letters: deque[Letter]) -> None:
        """Sends all; takes from ``letters`` what is confirmed. ``BrokerUnavailable`` when lost."""
        self._waiting = deque(letters)
        letters.clear()
        try:
            self._fill()
            self._run_until(lambda: not (self._waiting or self._flying))
        except (AMQPError, OSError) as error:
            raise trouble_of(error) from error
        finally:
            letters.extend(self._flying.values())
            letters.extend(self._waiting)
            self._flying, self._waiting = {}, deque()

    def close(self) -> None:
        """Closes the connection."""
        loop = self._connection.ioloop
        try:
            if self._connection.is_open:
                self._connection.close()
            deadline = time.monotonic() + CLOSE_SECONDS
            while not self._over and time.monotonic() < deadline:
                self._drive(0.5)
        except (AMQPError, OSError):
            pass  # it was gone already
        finally:
            loop.close()

    def _fill(self) -> None:
        while self._channel is not None and self._waiting and len(self._flying) < IN_FLIGHT:
            letter = self._waiting.popleft()
            self._sent += 1
            self._flying[self._sent] = letter
            properties = pika.BasicProperties(
                content_type="application/protobuf",
                type=letter.type,
                delivery_mode=2,
                headers={**letter.headers, PUBLISHED_AT: int(time.time() * 1000)},
                expiration=None if letter.wait is None else str(round(letter.wait * 1000)),
            )
            self._channel.basic_publish(
                letter.exchange, letter.key, letter.body, properties, mandatory=letter.mandatory
            )

    def _run_until(self, done: Callable[[], bool]) -> None:
        """Drives the connection; ``BrokerUnavailable`` when it is lost or silent for long."""
        self._done, self._heard = done, time.monotonic()
        while not done():
            if self._lost or time.monotonic() - self._heard > CONFIRM_SECONDS:
                why = self._lost or "it is silent"
                raise trouble_of(why)
            self._drive(1.0)

    def _drive(self, seconds: float) -> None:
        """Lets the connection work until something calls ``stop``, at most for so long."""
        loop = self._connection.ioloop
        timer = loop.call_later(seconds, loop.stop)
        loop.start()
        loop.remove_timeout(timer)

    def _stop_if_done(self) -> None:
        if self._lost or self._done():
            self._connection.ioloop.stop()

    def _opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._closed)
        channel.add_on_return_callback(self._returned)
        declare(channel, delivery_limit=self._broker.delivery_limit)
        self._channel = channel
        channel.confirm_delivery(self._confirmed, self._selected)

    def _selected(self, _frame: pika.frame.Method) -> None:
        self._ready = True
        self._stop_if_done()

    def _confirmed(self, frame: pika.frame.Method) -> None:
        tag, self._heard = frame.method.delivery_tag, time.monotonic()
        if isinstance(frame.method, pika.spec.Basic.Nack):
            self._closed(None, "it did not take a message")
            return
        tags = [t for t in self._flying if t <= tag] if frame.method.multiple else [tag]
        for known in tags:
            self._flying.pop(known, None)
        self._fill()
        self._stop_if_done()

    def _returned(self, _channel: Channel, method: Any, *_: object) -> None:
        """No queue took it: with our topology declared that cannot last."""
        self._closed(None, f"no queue takes {method.routing_key!r}")

    def _gone(self, _connection: object, reason: object) -> None:
        """The connection is closed, its socket too."""
        self._over = True
        self._closed(None, reason)

    def _closed(self, _who: object, reason: object) -> None:
        self._lost = self._lost or str(reason) or type(reason).__name__
        self._connection.ioloop.stop()
