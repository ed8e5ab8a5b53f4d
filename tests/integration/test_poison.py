"""A message that kills whoever takes it, among good ones: over the real RabbitMQ."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.broker import Broker
from fashionmap.adapters.dead_letters import queue_depths, requeue
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher
from fashionmap.adapters.topology import QUEUES
from fashionmap.domain.events import PhotoIngested
from fashionmap.entrypoints.collection import failures_of
from tests.integration.crashing_service import POISON
from tests.processes import ROOT, until
from tests.servers import Servers

pytestmark = pytest.mark.services
LIMIT, GOOD = 3, 60


class Supervisor:
    """Starts the stage again each time it dies, as an orchestrator does."""

    def __init__(self, url: str, folder: Path) -> None:
        self._command = [sys.executable, "-m", "tests.integration.crashing_service", url]
        self._command += [str(folder), str(LIMIT)]
        self._log = folder.with_suffix(".log").open("ab")
        self.deaths = 0
        self._start()

    def _start(self) -> None:
        paths = f"{ROOT / 'services'}{os.pathsep}{ROOT}"
        environment = {**os.environ, "PYTHONPATH": paths}
        self._process = subprocess.Popen(
            self._command, env=environment, stdout=self._log, stderr=self._log
        )

    def look(self) -> None:
        """Starts it again where it has died."""
        if self._process.poll() is not None:
            self.deaths += 1
            self._start()

    def stop(self) -> None:
        """Ends it for good."""
        self._process.kill()
        self._process.wait(10)
        self._log.close()


def test_given_a_message_that_kills_its_consumer_then_it_alone_is_dead_and_says_why(
    servers: Servers, tmp_path: Path
) -> None:
    url = servers.fresh()["FASHIONMAP_AMQP_URL"]
    broker, store = Broker(url, LIMIT), FilesystemBlobStore(tmp_path / "store")
    bus = RabbitPublisher(broker)
    photos = [f"{i:064d}" for i in range(GOOD)]
    bus.publish([PhotoIngested("c", p) for p in [*photos[:10], POISON, *photos[10:]]])
    supervisor = Supervisor(url, tmp_path / "store")

    def over() -> bool:
        supervisor.look()
        depths = queue_depths(broker)
        return depths["embedding.photos"][0] >= GOOD and depths["segmentation.photos"] == (0, 1)

    until(over, 120)
    time.sleep(3)  # what was answered but not acknowledged before a death is at work once more
    supervisor.stop()
    records = list(failures_of(store, "c"))
    assert [r["photo_id"] for r in records] == [POISON]
    assert "delivered 3 times and never came to an end" in records[0]["reason"]
    assert supervisor.deaths == LIMIT
    depths = queue_depths(broker)
    assert depths["segmentation.photos"] == (0, 1)
    assert requeue(broker, QUEUES["segmentation.photos"], bus) == 1
    assert queue_depths(broker)["segmentation.photos"] == (1, 0)
    bus.close()
