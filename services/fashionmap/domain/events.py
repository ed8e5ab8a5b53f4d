"""The small messages that travel between stages. Pixels, masks and vectors stay in the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fashionmap.domain.photo import MetadataValue, ModelStamp, Photo


@dataclass(frozen=True)
class PhotoOffered:
    """Somebody offers a photo: the public door. Exactly one of ``data`` and ``key`` is set.

    Attributes:
        collection: Collection that the photo shall belong to.
        file_name: Name to show.
        key: Object key under which the bytes already lie, or ``""``.
        data: The bytes themselves (small photos only), or ``b""``.
        metadata: Free columns that come along.
    """

    collection: str
    file_name: str
    key: str = ""
    data: bytes = b""
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)


@dataclass(frozen=True)
class PhotoIngested:
    """The photo lies in the store and can be read.

    Attributes:
        collection: The collection.
        photo_id: SHA-256 of the photo's bytes.
        photo: The photo, where it is new to the collection: then it has no masks yet, and nobody
            need ask the store for its record or for them. A message that comes twice costs the
            work twice; the objects are equal.
    """

    collection: str
    photo_id: str
    photo: Photo | None = None


@dataclass(frozen=True)
class PhotoSegmented:
    """The photo's masks document lies in the store.

    Attributes:
        collection: The collection.
        photo_id: SHA-256 of the photo's bytes.
        segmenter: The model that made the masks.
        fresh: Whether they were made just now: then they have no vectors yet, and nobody need ask
            the store.
    """

    collection: str
    photo_id: str
    segmenter: ModelStamp
    fresh: bool = False


@dataclass(frozen=True)
class PhotoEmbedded:
    """The photo's vectors and thumbnails lie in the store."""

    collection: str
    photo_id: str
    segmenter: ModelStamp
    embedder: ModelStamp


@dataclass(frozen=True)
class MapRequested:
    """Somebody wants the collection's map built anew.

    Attributes:
        collection: The collection.
        version: Name of the map to make; deterministic for equal requests.
        unit: ``"garment"``, ``"look"`` or ``"both"``.
        perplexity: t-SNE's perplexity; 0 lets the projector choose.
        seed: Seed of everything random in it.
    """

    collection: str
    version: str
    unit: str = "garment"
    perplexity: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class MapUpdated:
    """A map has a new version, or new points on it.

    Attributes:
        collection: The collection.
        version: The map.
        photo_id: The photo whose garments were placed, or ``""`` for a whole new map.
    """

    collection: str
    version: str
    photo_id: str = ""


@dataclass(frozen=True)
class CollectionGrew:
    """Photos were embedded; after a wait somebody looks whether a new map is due.

    Attributes:
        collection: The collection.
        wait: Seconds until that look; the broker holds the message for so long.
    """

    collection: str
    wait: float


Event = (
    PhotoOffered
    | PhotoIngested
    | PhotoSegmented
    | PhotoEmbedded
    | MapRequested
    | MapUpdated
    | CollectionGrew
)
