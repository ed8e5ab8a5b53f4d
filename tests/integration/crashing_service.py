"""A segmentation stage as a process that one photo kills each time: see test_poison."""

import os
import sys
from pathlib import Path

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.broker import Broker
from fashionmap.adapters.consumer_rabbitmq import RabbitConsumer
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.topology import QUEUES
from fashionmap.domain.events import PhotoSegmented
from fashionmap.domain.photo import ModelStamp
from fashionmap.entrypoints.serve import configure_logs
from fashionmap.entrypoints.stage import Foreman, Stage

POISON = "6" * 64
STAMP = ModelStamp("none", "1", "0" * 64)


def handle(events):
    if any(event.photo_id == POISON for event in events):
        os._exit(9)
    return [PhotoSegmented(event.collection, event.photo_id, STAMP) for event in events]


def main(url: str, folder: str, limit: int) -> None:
    configure_logs("INFO")
    broker, queue = Broker(url, limit), QUEUES["segmentation.photos"]
    from fashionmap.domain.events import PhotoIngested

    stage = Stage("segmentation", queue, (PhotoIngested,), handle)
    store, bus = FilesystemBlobStore(Path(folder)), RabbitPublisher(broker)
    foreman = Foreman(stage, blobs=store, publisher=bus, delivery_limit=limit)
    RabbitConsumer(broker, queue, foreman, heartbeat=30, batch=8, batch_wait=0.05).run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
