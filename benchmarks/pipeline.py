"""The pipeline's own cost against segmentation: queues, store and codecs around the models.

The stages of the distributed form over FASHIONMAP_BENCH_LOOKS drawn looks (500), with a real broker
and a real store. Counted as the pipeline's own: all that the stages do around their handlers, every
call of the store, the documents, and taking the messages off their queues.
"""

import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from tests.pipeline import settings_of
from tests.servers import RABBITMQ, minio_binary, start_servers

from fashionmap.adapters.codec import encode, type_name
from fashionmap.adapters.consumer_rabbitmq import RabbitConsumer
from fashionmap.adapters.photo_decoder import PhotoDecoder
from fashionmap.adapters.session_rabbitmq import Delivery
from fashionmap.adapters.threads import use_threads
from fashionmap.adapters.topology import QUEUES
from fashionmap.adapters.units_table import ArrowUnitsWriter
from fashionmap.domain.events import PhotoOffered
from fashionmap.embedding.handler import embed_photos
from fashionmap.embedding.model import load_embedder
from fashionmap.entrypoints.compose import broker, object_store, publisher
from fashionmap.entrypoints.stage import Foreman, Stage
from fashionmap.ingest.handler import ingest_photo
from fashionmap.sample.dataset import write_looks
from fashionmap.segmentation.handler import segment_photos
from fashionmap.segmentation.model import load_segmenter
from fashionmap.settings import Settings

LOOKS = int(os.environ.get("FASHIONMAP_BENCH_LOOKS", "500"))
BATCH = 8


@dataclass
class Timed:
    """Stands before something and counts the seconds of its calls."""

    inner: Any
    methods: tuple[str, ...]
    seconds: float = 0.0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inner, name)
        return self.clocked(value) if name in self.methods else value

    def clocked(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, its seconds counted."""

        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return act(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


class Bench:
    """The stages' parts, and what they cost."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.bus = publisher(settings)
        self.decoder = Timed(PhotoDecoder(), ("size", "pixels"))
        self.segmenter = Timed(load_segmenter(), ("segment",))
        self.embedder = load_embedder()
        self.blobs = Timed(object_store(settings), ("get", "put", "exists"))
        self.writer = Timed(ArrowUnitsWriter(), ("write",))
        self.around = self.documents = 0.0

    def run(self, photos: Sequence[Path]) -> None:
        """All stages over all photos, from the offers to the last confirm."""
        offers = [PhotoOffered("c", path.name, data=path.read_bytes()) for path in photos]
        ingested = self._stage("ingest.photos", offers, self._ingest)
        before = self.blobs.seconds + self.segmenter.seconds + self.decoder.seconds
        began = time.perf_counter()
        segmented = self._stage("segmentation.photos", ingested, self._segment)
        inner = self.blobs.seconds + self.segmenter.seconds + self.decoder.seconds - before
        self.documents = max(time.perf_counter() - began - inner - self._last_around, 0.0)
        self._stage("embedding.photos", segmented, self._embed)
        self.taking = sum(self._take(q) for q in ("segmentation.photos", "embedding.photos"))

    def own(self) -> dict[str, float]:
        """Seconds of the pipeline's own work by kind."""
        return {
            "messages, confirms": self.around + self.taking,
            "store": self.blobs.seconds,
            "documents": self.documents + self.writer.seconds,
        }

    def _stage(self, queue: str, events: Sequence[Any], handle: Any) -> list[Any]:
        """Each batch as the consumer would hand it over; gives the events that came of it."""
        made: list[Any] = []
        inside = Timed(None, ())

        def remember(batch: Sequence[Any]) -> Any:
            results = inside.clocked(handle)(batch)
            made.extend(results)
            return results

        stage = Stage(queue.split(".", maxsplit=1)[0], QUEUES[queue], (type(events[0]),), remember)
        foreman = Foreman(stage, blobs=self.blobs, publisher=self.bus, delivery_limit=20)
        began = time.perf_counter()
        for first in range(0, len(events), BATCH):
            batch = [
                Delivery(0, None, type_name(event), encode(event))  # type: ignore[arg-type]
                for event in events[first : first + BATCH]
            ]
            assert not foreman(batch)
        self._last_around = time.perf_counter() - began - inside.seconds
        self.around += self._last_around
        return made

    def _take(self, queue: str) -> float:
        """Seconds in which a consumer takes and acknowledges what waits in a queue."""
        taken, over = 0, threading.Event()

        def work(batch: Sequence[Delivery]) -> list[Delivery]:
            nonlocal taken
            taken += len(batch)
            if taken >= LOOKS:
                over.set()
            return []

        consumer = RabbitConsumer(
            broker(self.settings), QUEUES[queue], work, heartbeat=30, batch=BATCH, batch_wait=0.05
        )
        thread = threading.Thread(target=consumer.run)
        thread.start()
        consumer.connected.wait(30)
        began = time.perf_counter()
        assert over.wait(120)
        seconds = time.perf_counter() - began
        consumer.stop()
        thread.join()
        return seconds

    def _ingest(self, batch: Sequence[Any]) -> list[Any]:
        return [ingest_photo(event, blobs=self.blobs, decoder=self.decoder) for event in batch]

    def _segment(self, batch: Sequence[Any]) -> list[Any]:
        return list(
            segment_photos(batch, blobs=self.blobs, decoder=self.decoder, segmenter=self.segmenter)
        )

    def _embed(self, batch: Sequence[Any]) -> list[Any]:
        parts: Any = {"blobs": self.blobs, "decoder": self.decoder, "writer": self.writer}
        return list(embed_photos(batch, embedder=self.embedder, **parts))


def run() -> None:
    """Prints the parts and their share of the segmentation."""
    if not Path(RABBITMQ).exists() or minio_binary() is None:
        print("  RabbitMQ or MinIO is not on this machine")
        return
    use_threads(0)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        write_looks(Path(folder, "looks"), count=LOOKS, seed=9)
        servers = start_servers(Path(folder, "servers"))
        try:
            bench = Bench(settings_of(servers.fresh()))
            bench.run(sorted(Path(folder, "looks", "images").iterdir()))
            bench.bus.close()
        finally:
            servers.rabbitmq.stop()
            servers.minio.stop()
    _print(bench)


def _print(bench: Bench) -> None:
    whole = sum(bench.own().values())
    for name, seconds in bench.own().items():
        print(f"  {name:<20} {seconds:7.2f} s   {1000 * seconds / LOOKS:6.2f} ms a photo")
    print(f"  {'segmentation':<20} {bench.segmenter.seconds:7.2f} s")
    print(f"  own cost {whole / bench.segmenter.seconds:.1%} of the segmentation, {LOOKS} photos")
