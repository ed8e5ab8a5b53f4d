"""What every stage does around its handler: decode, retry, publish, record refusals."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from opentelemetry.trace import Span

from fashionmap.adapters.codec import decode
from fashionmap.adapters.metrics import StageMeter
from fashionmap.adapters.publisher_rabbitmq import RabbitPublisher, letter_of
from fashionmap.adapters.session_rabbitmq import Delivery
from fashionmap.adapters.topology import PUBLISHED_AT, RETRY, Queue
from fashionmap.adapters.tracing import begin_span, end_span, headers_of
from fashionmap.adapters.wire_rabbitmq import Letter
from fashionmap.domain import keys
from fashionmap.domain.events import Event
from fashionmap.entrypoints.refusal import dead_letter, failure_key, record_refusal
from fashionmap.errors import (
    DeliveredTooOften,
    MessageRejected,
    PermanentError,
    StageFailed,
    TransientError,
    UsageError,
)
from fashionmap.ports import BlobStore

log = structlog.get_logger()
LONGEST_WAIT = 600.0
"""Seconds that a batch is held while store or broker are away. Then all goes back to the queue and
nobody consumes until the store answers: RabbitMQ closes a channel that holds for 1,800."""
LONGEST_REASON = 1000
"""Characters: a reason may hold what a stranger wrote, and headers must fit into one frame."""

Handler = Callable[[Sequence[Any]], Sequence[Event | PermanentError | None]]


@dataclass(frozen=True)
class Stage:
    """One queue's work.

    Attributes:
        name: ``ingest``, ``segmentation``, ``embedding`` or ``projection``.
        queue: Where its messages come from.
        accepts: Event types that it handles.
        handle: Handles a batch: an event to publish, an error, or nothing for each.
        in_hand: Batches that it may handle at once, a thread each.
    """

    name: str
    queue: Queue
    accepts: tuple[type, ...]
    handle: Handler
    in_hand: int = 1


@dataclass(eq=False)
class _Job:
    """A message on its way through the stage."""

    delivery: Delivery
    span: Span
    event: Any = None
    result: Event | Exception | None = None

    @property
    def photo(self) -> str:
        """The photo's id, as soon as it is known."""
        known = getattr(self.event, "photo_id", "") or getattr(self.result, "photo_id", "")
        return str(known)


def _published_at(delivery: Delivery) -> float:
    """When the message was sent, in ms since 1970; 0 where its headers do not say."""
    moment = delivery.headers.get(PUBLISHED_AT)
    return float(moment) if isinstance(moment, int) else 0.0


class Foreman:
    """Turns a stage into the consumer's ``Work``; several threads may call it at once."""

    def __init__(
        self, stage: Stage, *, blobs: BlobStore, publisher: RabbitPublisher, delivery_limit: int
    ) -> None:
        self._stage, self._blobs, self._publisher = stage, blobs, publisher
        self._limit = delivery_limit
        self.meter = StageMeter(stage.name, stage.queue.name)
        self.stopping = threading.Event()

    def __call__(self, batch: Sequence[Delivery]) -> list[Delivery]:
        """Handles a batch; returns what another delivery may mend."""
        began = time.monotonic()
        self.meter.started(_published_at(delivery) for delivery in batch)
        jobs = [_Job(delivery, self._span(delivery)) for delivery in batch]
        try:
            self._work([job for job in jobs if self._decode(job)])
            again = [job for job in jobs if self._may_try_again(job)]
            finished = [job for job in jobs if job not in again]
            letters = [letter for job in finished for letter in self._finish(job)]
            self._patiently(lambda: self._publisher.send(letters))
        finally:
            for job in jobs:
                job.span.set_attribute("fashionmap.photo", job.photo)
                end_span(job.span, job.result if isinstance(job.result, Exception) else None)
        self._tell(jobs, again, time.monotonic() - began)
        return [job.delivery for job in again]

    def _span(self, delivery: Delivery) -> Span:
        about = {"messaging.destination.name": self._stage.queue.name}
        name = f"{self._stage.name} {self._stage.queue.key}"
        return begin_span(name, kind="consumer", headers=delivery.headers, attributes=about)

    def _decode(self, job: _Job) -> bool:
        """Whether the message is one to work on; else the error is its result."""
        delivery = job.delivery
        try:
            event = decode(delivery.type, delivery.body)
            if not isinstance(event, self._stage.accepts):
                raise MessageRejected(f"{self._stage.name} does not handle {delivery.type!r}.")
            keys.check_collection(event.collection)
            job.event = event
            job.span.set_attribute("fashionmap.collection", event.collection)
            if delivery.count >= self._limit:
                raise DeliveredTooOften(
                    f"It was delivered {delivery.count} times and never came to an end."
                )
        except UsageError as error:
            job.result = MessageRejected(str(error))
        except PermanentError as error:
            job.result = error
        except Exception as error:
            job.result = MessageRejected(f"A message that nobody can read: {error!r}.")
        return job.result is None

    def _work(self, jobs: Sequence[_Job]) -> None:
        """Handles jobs together; where they fail together, each alone."""
        if not jobs:
            return
        try:
            results = self._patiently(lambda: self._stage.handle([job.event for job in jobs]))
        except TransientError:
            raise
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    self._work([job])
                return
            results = [error]
        for job, result in zip(jobs, results, strict=True):
            job.result = result

    def _may_try_again(self, job: _Job) -> bool:
        """Whether a fault of ours may pass; at the last delivery it becomes a refusal."""
        error = job.result
        if not isinstance(error, Exception) or isinstance(error, PermanentError):
            return False
        log.error("stumbled", **self._about(job), error=repr(error), count=job.delivery.count)
        if job.delivery.count + 1 < self._limit:
            return True
        what = " ".join(f"{type(error).__name__}: {error}".split())
        job.result = StageFailed(f"The {self._stage.name} stage stumbled over it: {what[:300]}.")
        return False

    def _finish(self, job: _Job) -> list[Letter]:
        """The messages that a finished job sends."""
        if isinstance(job.result, Exception):
            return [self._refuse(job, job.result)]
        if RETRY in job.delivery.headers:
            key = failure_key(self._stage.name, job.event, job.delivery.body)
            self._patiently(lambda: self._blobs.delete(key))
        if job.result is None:
            return []
        return [letter_of(job.result, headers=headers_of(job.span))]

    def _refuse(self, job: _Job, error: Exception) -> Letter:
        """Records the refusal, and a dead letter with its reason."""
        reason = str(error)[:LONGEST_REASON]
        self.meter.refused(error)
        log.info("refused", **self._about(job), reason=reason)
        if job.event is not None:
            stage, delivery = self._stage.name, job.delivery
            self._patiently(lambda: record_refusal(self._blobs, stage, delivery, job.event, reason))
        return dead_letter(self._stage.name, self._stage.queue, job.delivery, reason)

    def _patiently(self, act: Callable[[], Any]) -> Any:
        """Tries until store and broker are back, with growing, jittered waits."""
        began, wait = time.monotonic(), 0.5
        while True:
            try:
                return act()
            except TransientError as error:
                if self.stopping.is_set() or time.monotonic() - began > LONGEST_WAIT:
                    raise
                self.meter.waits(error)
                stage, seconds = self._stage.name, round(wait, 1)
                log.warning("waiting", stage=stage, seconds=seconds, error=str(error))
                self.stopping.wait(random.uniform(wait / 2, wait))
                wait = min(wait * 2, 30.0)

    def _about(self, job: _Job) -> dict[str, str]:
        """What a line of the log says of a job."""
        return {
            "stage": self._stage.name,
            "collection": getattr(job.event, "collection", ""),
            "photo": job.photo,
        }

    def _tell(self, jobs: Sequence[_Job], again: Sequence[_Job], seconds: float) -> None:
        refused = sum(isinstance(job.result, PermanentError) for job in jobs)
        done = len(jobs) - refused - len(again)
        self.meter.ended(seconds, done=done, refused=refused, returned=len(again))
        log.info(
            "batch done",
            stage=self._stage.name,
            size=len(jobs),
            seconds=round(seconds, 3),
            collections=sorted({getattr(job.event, "collection", "") for job in jobs} - {""}),
            photos=[job.photo[:16] for job in jobs],
        )
