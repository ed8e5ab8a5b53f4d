"""A photo that a stage refused, with the reason."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Failure:
    """One refusal; recorded in the store, and the message dead-lettered.

    Attributes:
        collection: The collection.
        stage: ``ingest``, ``segmentation``, ``embedding`` or ``projection``.
        photo_id: SHA-256 of the bytes, or ``""`` where there were none.
        file_name: Name to show.
        reason: One clear sentence.
        at: When, ISO 8601 in UTC.
        type: Type of the refused message, to send it again.
        body: Its bytes in base64.
    """

    collection: str
    stage: str
    photo_id: str
    file_name: str
    reason: str
    at: str
    type: str = ""
    body: str = ""

    def to_json(self) -> dict[str, Any]:
        """The record as it is stored."""
        return asdict(self)
