"""The broker's queues from outside: how much waits in them, and dead letters sent again."""

from collections.abc import Callable
from typing import Any, TypeVar

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from fashionmap.adapters.broker import Broker, trouble_of
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.topology import QUEUES, RETRY, Queue, declare
from fashionmap.adapters.tracing import trace_of
from fashionmap.adapters.wire_rabbitmq import Letter

T = TypeVar("T")
TOGETHER = 100
"""Dead letters that are sent again and confirmed before they are taken from their queue."""


def queue_depths(broker: Broker) -> dict[str, tuple[int, int]]:
    """Messages that wait, by queue, and its dead letters; 0 where a queue is not there yet."""

    def count(connection: Any, name: str) -> int:
        channel = connection.channel()
        try:
            depth: int = channel.queue_declare(name, passive=True).method.message_count
        except ChannelClosedByBroker:
            return 0
        channel.close()
        return depth

    return _with_connection(
        broker,
        lambda connection: {
            queue.name: (count(connection, queue.name), count(connection, queue.dead))
            for queue in QUEUES.values()
        },
    )


def requeue(broker: Broker, queue: Queue, bus: RabbitPublisher) -> int:
    """Sends all dead letters of a queue back to it; returns how many.

    Each is confirmed in its old queue before it leaves the other: a break in between may double a
    message, which changes nothing, and never loses one.
    """

    def move(connection: Any) -> int:
        channel = connection.channel()
        declare(channel, delivery_limit=broker.delivery_limit)
        left: int = channel.queue_declare(queue.dead, passive=True).method.message_count
        moved = 0
        while left > 0:
            letters, last = _take(channel, queue, min(left, TOGETHER))
            if not letters:
                break
            bus.send(letters)
            channel.basic_ack(last, multiple=True)
            moved, left = moved + len(letters), left - len(letters)
        return moved

    return _with_connection(broker, move)


def _take(channel: Any, queue: Queue, count: int) -> tuple[list[Letter], int]:
    """Some dead letters, ready for their old queue, and the last one's delivery tag."""
    letters: list[Letter] = []
    last = 0
    while len(letters) < count:
        method, properties, body = channel.basic_get(queue.dead)
        if method is None:
            break
        last = method.delivery_tag
        headers = {**trace_of(properties.headers or {}), RETRY: "1"}
        letters.append(Letter("", queue.name, body, properties.type or "", headers))
    return letters, last


def _with_connection(broker: Broker, act: Callable[[Any], T]) -> T:
    try:
        with pika.BlockingConnection(broker.parameters(heartbeat=0)) as connection:
            return act(connection)
    except (AMQPError, OSError) as error:
        raise trouble_of(error) from error
