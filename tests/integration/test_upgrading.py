"""Queues of an older version: what is said, and that what it says to do helps."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing

import pika
import pytest
from structlog.testing import capture_logs

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.consumer_rabbitmq import RabbitConsumer
from fashionmap.adapters.dead_letters import queue_depths
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.session_rabbitmq import Delivery
from fashionmap.adapters.topology import DEAD, QUEUES
from fashionmap.domain.events import MapRequested
from fashionmap.errors import QueueMadeOtherwise
from tests.processes import until
from tests.servers import Servers

pytestmark = pytest.mark.services
MAPS = QUEUES["projection.maps"]


def declare_as_before(url: str) -> None:
    """The queue of maps as a version made it that let several build at once; a request waits."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.exchange_declare(DEAD, "direct", durable=True)
        arguments = {
            "x-queue-type": "quorum",
            "x-delivery-limit": 20,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": MAPS.name,
        }
        channel.confirm_delivery()
        channel.queue_declare(MAPS.name, durable=True, arguments=arguments)
        channel.basic_publish("", MAPS.name, b"waits")


@pytest.fixture
def host(servers: Servers) -> tuple[str, Callable[..., None]]:
    """A virtual host's address, and what the operator types there."""
    url = servers.fresh()["FASHIONMAP_AMQP_URL"]
    name = url.rpartition("/")[2]

    def rabbitmqctl(*arguments: str) -> None:
        subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "--vhost", name, *arguments],
            env={**os.environ, **servers.rabbitmq.environment},
            check=True,
            capture_output=True,
            timeout=60,
        )

    return url, rabbitmqctl


def test_given_a_queue_of_an_older_version_when_sent_to_then_one_sentence_says_what_to_do(
    host: tuple[str, Callable[..., None]],
) -> None:
    url, rabbitmqctl = host
    declare_as_before(url)
    with closing(RabbitPublisher(Broker(url, 20), patience=120)) as bus:
        began = time.monotonic()
        with pytest.raises(QueueMadeOtherwise) as caught:
            bus.publish([MapRequested("c", "v")])
        assert time.monotonic() - began < 60
        assert str(caught.value) == (
            "The broker's queue 'projection.maps' was made with another "
            "'x-single-active-consumer', by an older version or setting: let it run empty, then "
            "`rabbitmqctl delete_queue projection.maps`, and it is made anew "
            "(docs/operate.md, Upgrading)."
        )
        assert queue_depths(Broker(url, 20))[MAPS.name] == (1, 0)  # it is not empty yet
        rabbitmqctl("delete_queue", MAPS.name)
        bus.publish([MapRequested("c", "v")])
    assert queue_depths(Broker(url, 20))[MAPS.name] == (1, 0)


def test_given_a_queue_of_an_older_version_when_it_is_deleted_then_a_service_goes_on_by_itself(
    host: tuple[str, Callable[..., None]],
) -> None:
    url, rabbitmqctl = host
    declare_as_before(url)
    seen: list[Delivery] = []

    def work(batch: Sequence[Delivery]) -> list[Delivery]:
        seen.extend(batch)
        return []

    consumer = RabbitConsumer(Broker(url, 20), MAPS, work, heartbeat=30, batch=1, batch_wait=0.01)
    thread = threading.Thread(target=consumer.run)
    try:
        with capture_logs() as logs:
            thread.start()
            until(lambda: len(logs) > 1, 30)
            assert not consumer.connected.is_set()
            assert all("delete_queue projection.maps" in line["error"] for line in logs)
            rabbitmqctl("delete_queue", MAPS.name)
            assert consumer.connected.wait(60)
        with closing(RabbitPublisher(Broker(url, 20))) as bus:
            bus.publish([MapRequested("c", "v")])
        until(lambda: len(seen) == 1, 30)
    finally:
        consumer.stop()
        thread.join(30)
