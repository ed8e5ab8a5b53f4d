"""Ours against a bare pika loop that confirms each message: messages a second, one broker."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pika
from tests.servers import RABBITMQ, minio_binary, start_servers

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher, letter_of
from fashionmap.domain.events import PhotoIngested

COUNT = 4000
ROUNDS = 3


def run() -> None:
    """Prints both and the ratio: the best of three rounds in turn, each into an empty queue."""
    with broker_of_our_own() as url:
        if url is None:
            print("  RabbitMQ or MinIO is not on this machine")
            return
        fast, slow = [], []
        letters = [letter_of(PhotoIngested("c", f"{i:064d}")) for i in range(COUNT)]
        bus = RabbitPublisher(Broker(url, 20))
        bus.send(letters[:1])
        for _ in range(ROUNDS):
            slow.append(_rate(lambda: _bare_loop(url, letters)))
            _purge(url)
            fast.append(_rate(lambda: bus.send(letters)))
            _purge(url)
        bus.close()
    print(f"  ours, many in flight        {max(fast):8,.0f} messages/s")
    print(f"  pika, each confirmed alone  {max(slow):8,.0f} messages/s")
    print(f"  {max(fast) / max(slow):.1f} times as fast")


def _rate(act) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    act()
    return COUNT / (time.perf_counter() - began)


def _bare_loop(url: str, letters) -> None:  # type: ignore[no-untyped-def]
    """What pika's own examples do."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for letter in letters:
            properties = pika.BasicProperties(delivery_mode=2, type=letter.type)
            channel.basic_publish(
                letter.exchange, letter.key, letter.body, properties, mandatory=True
            )


def _purge(url: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().queue_purge("segmentation.photos")


@contextlib.contextmanager
def broker_of_our_own() -> Iterator[str | None]:
    """A throwaway broker's address; None where there is none."""
    if not Path(RABBITMQ).exists() or minio_binary() is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        servers = start_servers(Path(folder))
        try:
            yield servers.amqp_url
        finally:
            servers.rabbitmq.stop()
            servers.minio.stop()
