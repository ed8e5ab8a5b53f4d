"""What SECURITY.md says of the broker's permissions, on the real broker."""

import os
import subprocess

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from fashionmap.adapters.broker import Broker
from fashionmap.adapters.codec import encode, type_name
from fashionmap.adapters.dead_letters import queue_depths
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.topology import EVENTS
from fashionmap.domain.events import PhotoIngested, PhotoOffered
from tests.servers import Servers

pytestmark = pytest.mark.services


def test_given_a_user_who_may_write_to_the_exchange_alone_then_offers_are_all_that_it_can_do(
    servers: Servers,
) -> None:
    url = servers.fresh()["FASHIONMAP_AMQP_URL"]
    host = url.rpartition("/")[2]
    bus = RabbitPublisher(Broker(url, 20))
    bus.publish([PhotoIngested("c", "0" * 64)])  # declares what the services would
    bus.close()
    for arguments in (
        ("add_user", f"door-{host}", "let-me-in"),
        ("set_permissions", "-p", host, f"door-{host}", "^$", r"^fashionmap\.events$", "^$"),
    ):
        subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", *arguments],
            env={**os.environ, **servers.rabbitmq.environment},
            check=True,
            capture_output=True,
            timeout=60,
        )
    offer = PhotoOffered("c", "a.jpg", data=b"x")
    theirs = pika.URLParameters(url.replace("guest:guest", f"door-{host}:let-me-in"))
    with pika.BlockingConnection(theirs) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        about = pika.BasicProperties(type=type_name(offer), delivery_mode=2)
        channel.basic_publish(EVENTS, "photo.offered", encode(offer), about, mandatory=True)
        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            channel.basic_get("ingest.photos")
        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            connection.channel().queue_declare("a")
    assert queue_depths(Broker(url, 20))["ingest.photos"] == (1, 0)
