"""A photo: the unit that is offered, ingested and segmented."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from fashionmap.errors import MessageRejected

MetadataValue = str | int | float | bool
MOST_BYTES = 256 * 2**20
"""Of a photo's file."""
MOST_PIXELS = 178_000_000
"""A 100-megapixel photo comes through; beyond 178 a picture is taken for a bomb."""


@dataclass(frozen=True)
class Photo:
    """One photo of a collection.

    Attributes:
        id: SHA-256 of the offered bytes, 64 hex digits. Equal bytes are the same photo.
        file_name: Name to show; a path relative to what the user gave. Need not be unique.
        width: Pixels, after EXIF orientation.
        height: Pixels, after EXIF orientation.
        metadata: Free columns that came along (date, brand, season …).
    """

    id: str
    file_name: str
    width: int
    height: int
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelStamp:
    """Which model made a mask or a vector.

    Attributes:
        name: Model name such as ``garments-small``; safe in an object key.
        version: Version such as ``0.1.0``; safe in an object key.
        sha256: Hash of the weights file, 64 hex digits.
    """

    name: str
    version: str
    sha256: str

    @property
    def key(self) -> str:
        """``name@version-hash8``: names the model in object keys."""
        return f"{self.name}@{self.version}-{self.sha256[:8]}"


MOST_FIELDS, LONGEST_NAME, LONGEST_VALUE = 100, 100, 4000
"""Of a photo's metadata: they are copied into each row of the map's table."""


def check_description(file_name: str, metadata: Mapping[str, MetadataValue]) -> None:
    """``MessageRejected`` where a photo's name or metadata are beyond what is carried along."""
    if len(file_name) > LONGEST_VALUE:
        raise MessageRejected(f"A file name has more than {LONGEST_VALUE:,} characters.")
    if len(metadata) > MOST_FIELDS:
        raise MessageRejected(f"{len(metadata):,} metadata fields; {MOST_FIELDS} are allowed.")
    for name, value in metadata.items():
        if not name or len(name) > LONGEST_NAME:
            raise MessageRejected(f"Metadata names have 1 to {LONGEST_NAME} characters.")
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            raise MessageRejected(f"Metadata {name!r} has more than {LONGEST_VALUE:,} characters.")
        if isinstance(value, float) and not math.isfinite(value):
            raise MessageRejected(f"Metadata {name!r} is no finite number.")
