"""A batch's objects, fetched one right after the other."""

from collections.abc import Iterable

from fashionmap.errors import PermanentError
from fashionmap.ports import BlobStore

MOST_HELD = 64 << 20
"""Bytes: what a batch needs beyond that is fetched when it is asked for."""


class Fetched:
    """Objects that a batch will ask for, each of them once.

    A store that just answered answers with half the processor time of one that has gone to sleep
    between two calls (docs/adr/0018). What cannot be had is no error before it is asked for.
    Raises ``TransientError`` where the store is away.
    """

    def __init__(self, blobs: BlobStore, keys: Iterable[str]) -> None:
        self._blobs = blobs
        self._held: dict[str, bytes] = {}
        room = MOST_HELD
        for key in dict.fromkeys(keys):
            if room <= 0:
                return
            try:
                self._held[key] = blobs.get(key)
            except PermanentError:
                continue
            room -= len(self._held[key])

    def take(self, key: str) -> bytes:
        """The whole object, from the store where it is not at hand; ``BlobNotFound`` where there
        is none."""
        held = self._held.pop(key, None)
        return self._blobs.get(key) if held is None else held
