"""What a service tells Prometheus. The table in docs/operate.md is checked against ``METRICS``."""

import sys
import time
from collections.abc import Callable, Iterable

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fashionmap.domain.photo import ModelStamp

QUEUE = ("stage", "queue")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
WAITS = (0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)

MESSAGES = Counter(
    "fashionmap_messages_total",
    "Messages handled; outcome is done, refused or returned (to be delivered again).",
    (*QUEUE, "outcome"),
)
BATCH_SECONDS = Histogram(
    "fashionmap_batch_seconds",
    "Seconds from a batch's start to its last confirm.",
    QUEUE,
    buckets=SECONDS,
)
BATCH_SIZE = Histogram("fashionmap_batch_size", "Messages of a batch.", QUEUE, buckets=SIZES)
QUEUE_WAIT = Histogram(
    "fashionmap_queue_wait_seconds",
    "Seconds from a message's publication to the start of its batch.",
    QUEUE,
    buckets=WAITS,
)
FAILURES = Counter(
    "fashionmap_failures_total",
    "Refused messages; reason is the class of the error.",
    (*QUEUE, "reason"),
)
WAITING = Counter(
    "fashionmap_waits_total",
    "Waits of a batch for something that is away; on is StoreUnavailable or BrokerUnavailable.",
    (*QUEUE, "on"),
)
CONNECTED = Gauge("fashionmap_connected", "1 while the queue is consumed, else 0.", QUEUE)
PAUSED = Gauge("fashionmap_paused", "1 while the stage is paused, else 0.", ("stage",))
RPC_SECONDS = Histogram(
    "fashionmap_rpc_seconds",
    "Seconds of a gRPC call; code is its status.",
    ("method", "code"),
    buckets=SECONDS,
)
HTTP_SECONDS = Histogram(
    "fashionmap_http_seconds",
    "Seconds of an HTTP request to the explorer; of an event stream, until it began.",
    ("route", "status"),
    buckets=SECONDS,
)
EVENT_STREAMS = Gauge(
    "fashionmap_event_streams", "Open pages that listen to the explorer's events."
)
UPLOADS = Counter(
    "fashionmap_uploads_total",
    "Visitors' photos; aim is collection or search, outcome is done, refused or failed.",
    ("aim", "outcome"),
)
METRICS = (
    *(MESSAGES, BATCH_SECONDS, BATCH_SIZE, QUEUE_WAIT, FAILURES, WAITING),
    *(CONNECTED, PAUSED, RPC_SECONDS, HTTP_SECONDS, EVENT_STREAMS, UPLOADS),
)
MODEL_INFO = "fashionmap_model_info"
GPU_MEMORY = "fashionmap_gpu_memory_bytes"


class StageMeter:
    """The metrics of one queue."""

    def __init__(self, stage: str, queue: str) -> None:
        self._labels = (stage, queue)
        self._waits = QUEUE_WAIT.labels(*self._labels)
        self._sizes = BATCH_SIZE.labels(*self._labels)
        self._seconds = BATCH_SECONDS.labels(*self._labels)
        for outcome in ("done", "refused", "returned"):
            MESSAGES.labels(*self._labels, outcome)  # so that a rate has its zero

    def started(self, published: Iterable[float]) -> None:
        """A batch begins; ``published`` are times in ms since 1970, 0 where nobody knows."""
        now = time.time()
        times = list(published)
        self._sizes.observe(len(times))
        for moment in times:
            if moment:
                self._waits.observe(max(now - moment / 1000, 0.0))

    def ended(self, seconds: float, *, done: int, refused: int, returned: int) -> None:
        """A batch ended."""
        self._seconds.observe(seconds)
        for outcome, count in (("done", done), ("refused", refused), ("returned", returned)):
            MESSAGES.labels(*self._labels, outcome).inc(count)

    def refused(self, error: Exception) -> None:
        """A message was refused."""
        FAILURES.labels(*self._labels, type(error).__name__).inc()

    def waits(self, error: Exception) -> None:
        """A batch waits for something."""
        WAITING.labels(*self._labels, type(error).__name__).inc()

    def connected(self, is_connected: bool) -> None:
        """Whether the queue is consumed."""
        CONNECTED.labels(*self._labels).set(float(is_connected))


class ModelCollector(Collector):
    """Models and GPU memory as they are at the moment of a scrape: a model may be exchanged."""

    def __init__(self, stage: str, stamps: Callable[[], Iterable[ModelStamp]]) -> None:
        self._stage, self._stamps = stage, stamps

    def register(self) -> "ModelCollector":
        """Adds it to what is scraped."""
        REGISTRY.register(self)
        return self

    def collect(self) -> Iterable[Metric]:
        """The two metrics."""
        labels = ("stage", "name", "version", "sha256")
        models = GaugeMetricFamily(MODEL_INFO, "1 for each model in use.", labels=labels)
        for stamp in self._stamps():
            models.add_metric((self._stage, stamp.name, stamp.version, stamp.sha256), 1)
        memory = GaugeMetricFamily(
            GPU_MEMORY, "GPU memory that the process reserves; 0 without a GPU.", labels=("stage",)
        )
        memory.add_metric((self._stage,), _gpu_memory())
        return (models, memory)


def _gpu_memory() -> float:
    torch = sys.modules.get("torch")  # a stage without models never imports it
    if torch is None or not torch.cuda.is_available():
        return 0.0
    devices = range(torch.cuda.device_count())
    return float(sum(torch.cuda.memory_reserved(device) for device in devices))
