"""Exchanges and queues: declared by everyone who connects, so that nobody has to be first."""

from dataclasses import dataclass

from pika.adapters.blocking_connection import BlockingChannel

EVENTS = "fashionmap.events"
DEAD = "fashionmap.dead"


@dataclass(frozen=True)
class Queue:
    """A stage's queue.

    Attributes:
        name: Its name; dead letters go to ``{name}.dead``.
        key: Routing key that it is bound by.
        prefetch: Unacknowledged messages a consumer may hold.
        single: Whether only one consumer is active at a time.
    """

    name: str
    key: str
    prefetch: int
    single: bool = False

    @property
    def dead(self) -> str:
        """The queue of its dead letters."""
        return f"{self.name}.dead"


QUEUES = {
    queue.name: queue
    for queue in (
        Queue("ingest.photos", "photo.offered", 32),
        Queue("segmentation.photos", "photo.ingested", 16),
        Queue("embedding.photos", "photo.segmented", 32),
        Queue("projection.photos", "photo.embedded", 64),
        Queue("projection.maps", "map.requested", 1, single=True),
    )
}


def declare(channel: BlockingChannel, *, delivery_limit: int) -> None:
    """Declares everything; harmless where it is there already."""
    channel.exchange_declare(EVENTS, "topic", durable=True)
    channel.exchange_declare(DEAD, "direct", durable=True)
    for queue in QUEUES.values():
        quorum = {"x-queue-type": "quorum"}
        channel.queue_declare(queue.dead, durable=True, arguments=quorum)
        channel.queue_bind(queue.dead, DEAD, queue.name)
        arguments = {
            **quorum,
            "x-delivery-limit": delivery_limit,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": queue.name,
            "x-single-active-consumer": queue.single,
        }
        channel.queue_declare(queue.name, durable=True, arguments=arguments)
        channel.queue_bind(queue.name, EVENTS, queue.key)
