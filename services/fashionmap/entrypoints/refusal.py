"""What becomes of a message that a stage refuses: a record in the store and a dead letter."""

import base64
import hashlib
import time
from datetime import UTC, datetime

from fashionmap.adapters.session_rabbitmq import Delivery
from fashionmap.adapters.topology import DEAD, REASON, STAGE, Queue
from fashionmap.adapters.tracing import trace_of
from fashionmap.adapters.wire_rabbitmq import Letter
from fashionmap.domain import keys
from fashionmap.domain.documents import to_bytes
from fashionmap.domain.events import Event, PhotoOffered
from fashionmap.domain.failure import Failure
from fashionmap.errors import UsageError
from fashionmap.ports import BlobStore


def record_refusal(
    blobs: BlobStore, stage: str, delivery: Delivery, event: Event, reason: str
) -> None:
    """Writes the record that `fashionmap failures` shows and `fashionmap retry` sends again."""
    failure = failure_of(stage, delivery, event, reason)
    blobs.put(failure_key(stage, event, delivery.body), to_bytes(failure.to_json()))


def dead_letter(stage: str, queue: Queue, delivery: Delivery, reason: str) -> Letter:
    """The message with the reason in its headers, on its way to the queue of dead letters."""
    headers = {**trace_of(delivery.headers), REASON: reason, STAGE: stage}
    return Letter(DEAD, queue.name, delivery.body, delivery.type, headers)


def failure_of(stage: str, delivery: Delivery, event: Event, reason: str) -> Failure:
    """The record of a refusal, named by the photo, or by the message where there is none."""
    return Failure(
        collection=event.collection,
        stage=stage,
        photo_id=subject_of(event, delivery.body),
        file_name=getattr(event, "file_name", ""),
        reason=reason,
        at=datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="microseconds"),
        type=delivery.type,
        body=base64.b64encode(delivery.body).decode("ascii"),
    )


def failure_key(stage: str, event: Event, body: bytes) -> str:
    """Where the record of a refused message lies."""
    return keys.failure(event.collection, stage, subject_of(event, body))


def subject_of(event: Event, body: bytes) -> str:
    """The photo's id; of an offer, the hash of its bytes by its key or its data; else of the
    message."""
    named = getattr(event, "photo_id", "")
    if isinstance(event, PhotoOffered):
        parts = event.key.split("/")
        named = parts[-2] if len(parts) > 2 and len(parts[-2]) == 64 else ""
    try:
        return keys.check_part(named)
    except UsageError:
        return hashlib.sha256(getattr(event, "data", b"") or body).hexdigest()
