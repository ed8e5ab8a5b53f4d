"""A virtual host and a publisher for tests over the real RabbitMQ."""

from collections.abc import Iterator

import pytest

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from tests.servers import Servers


@pytest.fixture
def url(servers: Servers) -> str:
    """A virtual host of its own."""
    return servers.fresh()["FASHIONMAP_AMQP_URL"]


@pytest.fixture
def publisher(url: str) -> Iterator[RabbitPublisher]:
    bus = RabbitPublisher(Broker(url, 3))
    yield bus
    bus.close()
