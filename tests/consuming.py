"""A consumer at work, for tests over the real RabbitMQ."""

import threading

import pika

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.consumer_rabbitmq import RabbitConsumer
from fashionmap.adapters.topology import QUEUES
from fashionmap.domain.events import PhotoIngested

QUEUE = QUEUES["segmentation.photos"]


class Worker:
    """A consumer on a thread, whose work is given."""

    def __init__(self, url: str, work, **settings) -> None:
        defaults = {"heartbeat": 30, "batch": 8, "batch_wait": 0.02}
        self.consumer = RabbitConsumer(Broker(url, 3), QUEUE, work, **{**defaults, **settings})
        self.thread = threading.Thread(target=self.consumer.run)

    def __enter__(self) -> "Worker":
        self.thread.start()
        assert self.consumer.connected.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


def events(count: int) -> list[PhotoIngested]:
    return [PhotoIngested("c", f"{i:064d}") for i in range(count)]


def waiting(url: str, name: str = QUEUE.name) -> int:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        return connection.channel().queue_declare(name, passive=True).method.message_count


class Door:
    """A gate that the test opens and closes."""

    open = True

    def may_start(self) -> bool:
        return self.open

    def must_stop(self) -> bool:
        return not self.open
