"""A photo: the unit that is offered, ingested and segmented."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MetadataValue = str | int | float | bool


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
