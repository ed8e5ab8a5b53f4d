"""The pipeline's own cost against segmentation: queues, store and codecs around the models.

FASHIONMAP_BENCH_LOOKS drawn looks (500) go through the stages as they are deployed, one stage after
the other, with a real broker and a real store on this machine. The peer is a plain loop over the
same photos in memory: check, decode, segment, cut out, embed. It runs before and after the stages,
and its mean counts. What the stages take longer by the clock is the pipeline's own cost.
"""

import hashlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog
from tests.pipeline import settings_of
from tests.servers import RABBITMQ, minio_binary, start_servers

from fashionmap.adapters.consumer_rabbitmq import RabbitConsumer
from fashionmap.adapters.photo_decoder import PhotoDecoder
from fashionmap.adapters.session_rabbitmq import Delivery
from fashionmap.adapters.threads import use_threads
from fashionmap.domain.events import PhotoOffered
from fashionmap.domain.garment import MasksDocument
from fashionmap.domain.photo import Photo
from fashionmap.embedding.cutout import cut_out
from fashionmap.embedding.handler import unit_row
from fashionmap.embedding.model import load_embedder
from fashionmap.entrypoints.compose import broker, object_store, publisher, service
from fashionmap.entrypoints.stage import Foreman, Stage
from fashionmap.pipelining import in_order
from fashionmap.sample.dataset import write_looks
from fashionmap.segmentation.handler import masks_of
from fashionmap.segmentation.model import load_segmenter
from fashionmap.settings import Settings

T = TypeVar("T")
LOOKS, WARM = int(os.environ.get("FASHIONMAP_BENCH_LOOKS", "500")), 8
STAGES = ("ingest", "segmentation", "embedding")


def run() -> None:
    """Prints the seconds of each stage, of the plain loop, and what the difference is."""
    if not Path(RABBITMQ).exists() or minio_binary() is None:
        print("  RabbitMQ or MinIO is not on this machine")
        return
    use_threads(0, photos=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        write_looks(Path(folder, "looks"), count=LOOKS, seed=9)
        photos = [p.read_bytes() for p in sorted(Path(folder, "looks", "images").iterdir())]
        servers = start_servers(Path(folder, "servers"))
        try:
            before = plain_loop(photos)
            staged = all_stages(settings_of(servers.fresh()), photos)
            after = plain_loop(photos)
        finally:
            servers.rabbitmq.stop()
            servers.minio.stop()
    _print({name: (before[name] + after[name]) / 2 for name in STAGES}, staged)


def plain_loop(photos: Sequence[bytes]) -> dict[str, float]:
    """Seconds that each stage's work takes in memory, with as many threads."""
    decoder, segmenter, embedder = PhotoDecoder(), load_segmenter(), load_embedder()

    def check(data: bytes) -> Photo:
        height, width = decoder.size(data)
        return Photo(hashlib.sha256(data).hexdigest(), "", width, height)

    def segment(item: tuple[bytes, Photo]) -> MasksDocument:
        return masks_of(item[1], decoder.pixels(item[0]), segmenter=segmenter)

    def embed(item: tuple[bytes, MasksDocument]) -> None:
        pixels, garments = decoder.pixels(item[0]), item[1].garments
        cutouts = [cut_out(pixels, garment.detection) for garment in garments]
        vectors = embedder.embed(cutouts)
        for garment, cutout, vector in zip(garments, cutouts, vectors, strict=True):
            unit_row(item[1], garment, cutout, vector)

    def timed(name: str, act: Callable[[Any], T], items: Iterable[Any]) -> list[T]:
        threads, began = segmenter.at_once, time.perf_counter()
        results = list(in_order(items, act, threads=threads, most=2 * threads))
        seconds[name] = time.perf_counter() - began
        return results

    seconds: dict[str, float] = {}
    for some in (photos[-WARM:], photos):
        checked = timed("ingest", check, some)
        masks = timed("segmentation", segment, zip(some, checked, strict=True))
        timed("embedding", embed, zip(some, masks, strict=True))
    return seconds


def all_stages(settings: Settings, photos: Sequence[bytes]) -> dict[str, float]:
    """Seconds of each stage, from its consumer's connection to the last confirm.

    Some photos go before, so that processes are started and models are warm, as in the plain loop.
    """
    blobs, bus = object_store(settings), publisher(settings)
    stages = [service(name, settings, blobs=blobs, bus=bus).stages[0] for name in STAGES]
    seconds = {}
    for collection, some in (("warm", photos[-WARM:]), ("c", photos)):
        bus.publish([PhotoOffered(collection, f"{n}.jpg", data=d) for n, d in enumerate(some)])
        for stage in stages:
            foreman = Foreman(stage, blobs=blobs, publisher=bus, delivery_limit=20)
            seconds[stage.name] = _consume(settings, stage, foreman, len(some))
    bus.close()
    return seconds


def _consume(settings: Settings, stage: Stage, foreman: Foreman, count: int) -> float:
    """Seconds in which a stage's consumer empties its queue."""
    done, over = 0, threading.Event()

    def work(batch: Sequence[Delivery]) -> Sequence[Delivery]:
        nonlocal done
        again = foreman(batch)
        done += len(batch) - len(again)
        if done >= count:
            over.set()
        return again

    consumer = RabbitConsumer(
        broker(settings),
        stage.queue,
        work,
        heartbeat=settings.heartbeat,
        batch=settings.batch,
        batch_wait=settings.batch_wait,
        in_hand=stage.in_hand,
    )
    thread = threading.Thread(target=consumer.run)
    began = time.perf_counter()
    thread.start()
    assert over.wait(1200), f"{stage.name} handled {done} of {count} photos"
    seconds = time.perf_counter() - began
    consumer.stop()
    thread.join()
    return seconds


def _print(alone: dict[str, float], staged: dict[str, float]) -> None:
    own = {name: staged[name] - alone[name] for name in STAGES}
    for name in STAGES:
        print(
            f"  {name:<14} {staged[name]:7.2f} s as a stage   {alone[name]:7.2f} s in a plain loop"
            f"   {1000 * own[name] / LOOKS:6.2f} ms a photo more"
        )
    base = alone["segmentation"]
    print(
        f"  own cost {sum(own.values()) / base:.1%} of the segmentation, "
        f"{(sum(own.values()) - own['ingest']) / base:.1%} without ingest, {LOOKS} photos"
    )
