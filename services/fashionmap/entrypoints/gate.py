"""Whether a stage may consume: it is not paused, and the store answers."""

from collections.abc import Iterable

from fashionmap.adapters.metrics import PAUSED
from fashionmap.domain import keys
from fashionmap.errors import FashionMapError
from fashionmap.ports import BlobStore


class StageGate:
    """Reads from the store, so that a pause outlives every process.

    While the store is away, what it said last holds: no outage starts or stops a stage at work.
    """

    def __init__(self, stage: str, blobs: BlobStore) -> None:
        self._stage, self._blobs = stage, blobs
        self.paused = self.store_answers = False

    def refresh(self) -> None:
        """Asks the store."""
        try:
            self.paused = self._blobs.exists(keys.paused(self._stage))
            self.store_answers = True
        except FashionMapError:
            self.store_answers = False
        PAUSED.labels(self._stage).set(float(self.paused))

    def may_start(self) -> bool:
        """Whether consuming makes sense now."""
        return self.store_answers and not self.paused

    def must_stop(self) -> bool:
        """Whether a consumer at work must stop."""
        return self.paused


def pause(blobs: BlobStore, stage: str) -> None:
    """Lets a stage stop consuming, within seconds and until ``resume``."""
    blobs.put(keys.paused(stage), b"")


def resume(blobs: BlobStore, stage: str) -> None:
    """Lets a stage consume again."""
    blobs.delete(keys.paused(stage))


def paused_stages(blobs: BlobStore, stages: Iterable[str]) -> list[str]:
    """Those of the stages that are paused."""
    return [stage for stage in stages if blobs.exists(keys.paused(stage))]
