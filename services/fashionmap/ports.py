"""What the stages need from the outside world. Adapters give it; stages know only this."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fashionmap.domain.events import Event
from fashionmap.domain.garment import Detection
from fashionmap.domain.photo import ModelStamp


class BlobStore(Protocol):
    """Objects under string keys; the system of record. Raises ``StoreUnavailable``."""

    def get(self, key: str, *, most: int | None = None) -> bytes:
        """The whole object; ``BlobNotFound`` where there is none, ``BlobTooLarge`` beyond ``most``
        bytes."""

    def put(self, key: str, data: bytes) -> None:
        """Writes the whole object at once: a reader sees the old one or the new one."""

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Writes several objects by key, each at once, in no order. After an error some may lie
        there."""

    def put_file(self, key: str, path: Path) -> None:
        """Writes a local file as an object; the file is used up."""

    def exists(self, key: str) -> bool:
        """Whether an object lies under the key."""

    def delete(self, key: str) -> None:
        """Removes the object; no error where there is none."""

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys with the prefix, in ascending order."""


class Publisher(Protocol):
    """The sending side of the bus. Raises ``BrokerUnavailable``."""

    def publish(self, events: Sequence[Event]) -> None:
        """Returns when the broker has confirmed all of them."""


class Segmenter(Protocol):
    """Finds garments (or people) on photos."""

    @property
    def stamp(self) -> ModelStamp:
        """The model that every mask is stamped with."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Category names; the id of ``categories[i]`` is ``i + 1``."""

    @property
    def at_once(self) -> int:
        """How many threads gain by calling ``segment`` at once."""

    def segment(
        self, photos: Sequence[NDArray[np.uint8]], *, sizes: Sequence[tuple[int, int]] | None = None
    ) -> list[list[Detection]]:
        """Detections a photo, by falling score. Photos: uint8 RGB (height, width, 3) in 0..255.

        Masks are of the photos' own sizes, or of ``sizes`` (height, width) where the photos given
        are reduced. The result for a photo does not depend on the other photos of the call.
        """


class Embedder(Protocol):
    """Turns cut-outs into vectors."""

    @property
    def stamp(self) -> ModelStamp:
        """The model that every vector is stamped with."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    @property
    def at_once(self) -> int:
        """How many threads gain by calling ``embed`` at once."""

    def embed(self, cutouts: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Vectors float32 (n, dimensions) of length 1.

        Cut-outs: uint8 RGBA (height, width, 4) in 0..255, alpha 0 outside the mask. Any sizes.
        """


class Decoder(Protocol):
    """Turns a photo's bytes into pixels. Raises ``PhotoRejected``."""

    def size(self, data: bytes) -> tuple[int, int]:
        """``(height, width)`` after EXIF orientation; decodes everything, so that damage shows."""

    def pixels(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels to work on, uint8 RGB (height, width, 3), perhaps reduced by a whole factor."""


class UnitsWriter(Protocol):
    """Writes a photo's units as the bytes of an embedding document."""

    def write(
        self, rows: Sequence[Mapping[str, object]], segmenter: ModelStamp, embedder: Embedder
    ) -> bytes:
        """The document; equal rows give equal bytes."""
