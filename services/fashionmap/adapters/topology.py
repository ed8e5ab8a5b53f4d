"""Exchanges and queues: declared by everyone who connects, so that nobody has to be first."""

from dataclasses import dataclass
from typing import Any

EVENTS = "fashionmap.events"
DEAD = "fashionmap.dead"
GROWTH = "projection.growth"
LATER = f"{GROWTH}.later"
"""Holds each ``CollectionGrew`` until its time has come, and passes it on to ``GROWTH``."""
LONGEST_MAP = 6 * 3600 * 1000
"""Milliseconds that a map may be built while its request stays unacknowledged. RabbitMQ's own limit
is 30 minutes; a queue may have its own from 3.12 on, and older ones do not read it."""
PUBLISHED_AT = "x-published-at"
"""Header: when a message was sent, in milliseconds since 1970."""
RETRY = "x-retry"
"""Header of what was refused before and is sent again: its success clears the refusal."""
REASON, STAGE = "x-reason", "x-stage"
"""Headers of a dead letter."""


@dataclass(frozen=True)
class Queue:
    """A stage's queue.

    Attributes:
        name: Its name; dead letters go to ``{name}.dead``.
        key: Routing key that it is bound by.
        prefetch: Unacknowledged messages a consumer may hold, at least a batch more than it has in
            hand; 1 where each is long work.
        single: Whether only one consumer is active at a time.
        also: Other routing keys.
    """

    name: str
    key: str
    prefetch: int
    single: bool = False
    also: tuple[str, ...] = ()

    @property
    def one_by_one(self) -> bool:
        """Whether its consumer holds one message at a time."""
        return self.prefetch == 1

    @property
    def dead(self) -> str:
        """The queue of its dead letters."""
        return f"{self.name}.dead"


QUEUES = {
    queue.name: queue
    for queue in (
        Queue("ingest.photos", "photo.offered", 32),
        Queue("segmentation.photos", "photo.ingested", 32),
        Queue("embedding.photos", "photo.segmented", 32),
        Queue("projection.photos", "photo.embedded", 32),
        Queue("projection.maps", "map.requested", 1, single=True),
        Queue(GROWTH, "photo.embedded", 64, single=True, also=("map.requested",)),
    )
}


def declare(channel: Any, *, delivery_limit: int) -> None:
    """Declares everything; harmless where it is there already.

    ``channel`` is one of pika's, blocking or not; the latter need not wait for the answers.
    """
    channel.exchange_declare(EVENTS, "topic", durable=True)
    channel.exchange_declare(DEAD, "direct", durable=True)
    for queue in QUEUES.values():
        quorum: dict[str, object] = {"x-queue-type": "quorum"}
        channel.queue_declare(queue.dead, durable=True, arguments=quorum)
        channel.queue_bind(queue.dead, DEAD, queue.name)
        arguments = {
            **quorum,
            "x-delivery-limit": delivery_limit,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": queue.name,
            "x-single-active-consumer": queue.single,
        }
        if queue.one_by_one:
            arguments["x-consumer-timeout"] = LONGEST_MAP
        channel.queue_declare(queue.name, durable=True, arguments=arguments)
        for key in (queue.key, *queue.also):
            channel.queue_bind(queue.name, EVENTS, key)
    channel.queue_declare(LATER, durable=True, arguments=_AND_THEN)
    channel.queue_bind(LATER, EVENTS, "collection.grew")


_AND_THEN = {
    "x-queue-type": "quorum",
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": GROWTH,
    "x-dead-letter-strategy": "at-least-once",  # by default a restart may lose what expires
    "x-overflow": "reject-publish",
}
