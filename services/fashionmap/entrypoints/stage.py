"""What every stage does around its handler: decode, retry, publish, record refusals."""

import base64
import hashlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from fashionmap.adapters.codec import decode
from fashionmap.adapters.consumer_rabbitmq import Delivery
from fashionmap.adapters.publisher_rabbitmq import Letter, RabbitPublisher, letter_of
from fashionmap.adapters.topology import DEAD, Queue
from fashionmap.domain import keys
from fashionmap.domain.documents import to_bytes
from fashionmap.domain.events import Event
from fashionmap.domain.failure import Failure
from fashionmap.errors import MessageRejected, PermanentError, TransientError, UsageError
from fashionmap.ports import BlobStore

log = structlog.get_logger()
LONGEST_RETRY = 1200.0
"""Seconds that a batch is held while store or broker are away; RabbitMQ's own limit is 1,800."""

Handler = Callable[[Sequence[Any]], Sequence[Event | PermanentError | None]]


@dataclass(frozen=True)
class Stage:
    """One queue's work.

    Attributes:
        name: ``ingest``, ``segmentation``, ``embedding`` or ``projection``.
        queue: Where its messages come from.
        accepts: Event types that it handles.
        handle: Handles a batch: an event to publish, an error, or nothing for each.
    """

    name: str
    queue: Queue
    accepts: tuple[type, ...]
    handle: Handler


class Foreman:
    """Turns a stage into the consumer's ``Work``."""

    def __init__(self, stage: Stage, *, blobs: BlobStore, publisher: RabbitPublisher) -> None:
        self._stage, self._blobs, self._publisher = stage, blobs, publisher
        self.stopping = threading.Event()

    def __call__(self, batch: Sequence[Delivery]) -> None:
        """Handles a batch; raises only what another delivery may mend."""
        events: list[tuple[Delivery, Event]] = []
        letters: list[Letter] = []
        for delivery in batch:
            try:
                events.append((delivery, self._decode(delivery)))
            except PermanentError as error:
                letters.append(self._refuse(delivery, None, error))
        began = time.monotonic()
        results = self._patiently(lambda: self._stage.handle([event for _, event in events]))
        for (delivery, event), result in zip(events, results, strict=True):
            if isinstance(result, PermanentError):
                letters.append(self._refuse(delivery, event, result))
            elif result is not None:
                letters.append(letter_of(result))
        self._patiently(lambda: self._publisher.send(letters))
        log.info(
            "batch done",
            stage=self._stage.name,
            size=len(batch),
            seconds=round(time.monotonic() - began, 3),
            collections=sorted({getattr(e, "collection", "") for _, e in events}),
            photos=[getattr(e, "photo_id", "")[:16] for _, e in events],
        )

    def _decode(self, delivery: Delivery) -> Event:
        event = decode(delivery.type, delivery.body)
        if not isinstance(event, self._stage.accepts):
            raise MessageRejected(f"{self._stage.name} does not handle {delivery.type!r}.")
        try:
            keys.check_collection(event.collection)
        except UsageError as error:
            raise MessageRejected(str(error)) from error
        return event

    def _patiently(self, act: Callable[[], Any]) -> Any:
        """Tries until store and broker are back, with growing, jittered waits."""
        began, wait = time.monotonic(), 0.5
        while True:
            try:
                return act()
            except TransientError as error:
                if self.stopping.is_set() or time.monotonic() - began > LONGEST_RETRY:
                    raise
                log.warning(
                    "waiting", stage=self._stage.name, seconds=round(wait, 1), error=str(error)
                )
                self.stopping.wait(random.uniform(wait / 2, wait))
                wait = min(wait * 2, 30.0)

    def _refuse(self, delivery: Delivery, event: Event | None, error: PermanentError) -> Letter:
        """Records the refusal, and a dead letter with its reason."""
        log.info("refused", stage=self._stage.name, reason=str(error))
        if event is not None:
            failure = failure_of(self._stage.name, delivery, event, str(error))
            key = keys.failure(failure.collection, failure.stage, failure.photo_id)
            self._patiently(lambda: self._blobs.put(key, to_bytes(failure.to_json())))
        headers = {"x-reason": str(error), "x-stage": self._stage.name}
        name = self._stage.queue.name
        return Letter(DEAD, name, delivery.body, delivery.type, headers)


def failure_of(stage: str, delivery: Delivery, event: Event, reason: str) -> Failure:
    """The record of a refusal, named by the photo, or by the message where there is none."""
    return Failure(
        collection=event.collection,
        stage=stage,
        photo_id=getattr(event, "photo_id", "") or _offered_id(event, delivery.body),
        file_name=getattr(event, "file_name", ""),
        reason=reason,
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        type=delivery.type,
        body=base64.b64encode(delivery.body).decode("ascii"),
    )


def _offered_id(event: Event, body: bytes) -> str:
    """Hash of an offer's bytes, by its key or its data; else of the message."""
    parts = getattr(event, "key", "").split("/")
    if len(parts) > 2 and len(parts[-2]) == 64:
        return parts[-2]
    return hashlib.sha256(getattr(event, "data", b"") or body).hexdigest()
