"""What the explorer needs from the outside world; the composition root gives it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fashionmap.domain.garment import MasksDocument
from fashionmap.explorer.hub import Hub


class Store(Protocol):
    """The part of the object store that is read here. Raises ``StoreUnavailable``."""

    def get(self, key: str) -> bytes:
        """The whole object; ``BlobNotFound`` where there is none."""

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys with the prefix, in ascending order."""

    def folders(self, prefix: str) -> Iterator[str]:
        """Names between the prefix and the next slash, in ascending order."""


class Peers(Protocol):
    """The other services. Raises ``ServiceUnavailable``, and ``PhotoRejected`` for bad photos."""

    def put_photo(self, collection: str, file_name: str, data: bytes) -> str:
        """Puts a photo into a collection for good; its id."""

    def segment(self, data: bytes) -> MasksDocument:
        """Masks of a photo that is not kept."""

    def embed(self, masks: MasksDocument, data: bytes) -> dict[str, list[float]]:
        """Vectors of a photo that is not kept, by unit."""

    def neighbours(
        self, collection: str, version: str, vector: Sequence[float], *, count: int
    ) -> tuple[list[str], float, float]:
        """Ids of the nearest garments of a map, and the vector's place on it (x, y)."""

    def request_map(self, collection: str, unit: str) -> str:
        """Asks for a new map; its version."""


@dataclass(frozen=True)
class Backend:
    """Everything behind the HTTP routes.

    Attributes:
        store: The object store.
        peers: The other services.
        hub: Where events are told.
        queues: Lengths of the queues, as JSON records.
        census: How many photos of a collection passed each stage.
        failures: Records of a collection's refused photos.
        replay: Sends refused photos again; how many.
        ready: Whether broker and store answer.
        page: Folder of the built page.
        token: What writing calls must show; ``""`` lets everybody write.
        most_bytes: Of an upload.
    """

    store: Store
    peers: Peers
    hub: Hub
    queues: Callable[[], Sequence[dict[str, Any]]]
    census: Callable[[str], dict[str, int]]
    failures: Callable[[str], Iterable[dict[str, Any]]]
    replay: Callable[[str, str], int]
    ready: Callable[[], bool]
    page: Path
    token: str
    most_bytes: int
