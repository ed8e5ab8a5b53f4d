"""Domain events and documents to protobuf messages, and back."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import DecodeError, Message

from fashionmap.domain.events import (
    CollectionGrew,
    Event,
    MapRequested,
    MapUpdated,
    PhotoEmbedded,
    PhotoIngested,
    PhotoOffered,
    PhotoSegmented,
)
from fashionmap.domain.garment import Detection, Garment, Mask, MasksDocument
from fashionmap.domain.photo import MOST_PIXELS, MetadataValue, ModelStamp, Photo
from fashionmap.domain.rle import check_box, check_counts
from fashionmap.errors import MessageRejected
from fashionmap.v1 import events_pb2, masks_pb2

PACKAGE = "fashionmap.v1"
MOST_UNITS = 500
"""Of one photo."""
ROUTING_KEYS: dict[type, str] = {
    PhotoOffered: "photo.offered",
    PhotoIngested: "photo.ingested",
    PhotoSegmented: "photo.segmented",
    PhotoEmbedded: "photo.embedded",
    MapRequested: "map.requested",
    MapUpdated: "map.updated",
    CollectionGrew: "collection.grew",
}
"""Which events are published under which key."""


def routing_key(event: Event) -> str:
    """The event's routing key."""
    return ROUTING_KEYS[type(event)]


def type_name(event: Event) -> str:
    """The AMQP property ``type`` of the event."""
    return f"{PACKAGE}.{type(event).__name__}"


def encode(event: Event) -> bytes:
    """The event as protobuf; equal events give equal bytes."""
    return to_message(event).SerializeToString(deterministic=True)


def decode(type_: str, body: bytes) -> Event:
    """The event of a message; ``MessageRejected`` where nobody knows its type or content."""
    name = type_.removeprefix(f"{PACKAGE}.")
    reader = _READERS.get(name)
    if reader is None or not type_.startswith(PACKAGE):
        raise MessageRejected(f"Nobody knows messages of type {type_!r}.")
    message = getattr(events_pb2, name)()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise MessageRejected(f"A message of type {type_!r} cannot be decoded.") from error
    return reader(message)


def to_message(event: Event) -> Message:
    """The protobuf message of an event."""
    fields = {
        k: v
        for k, v in vars(event).items()
        if k not in ("metadata", "photo", "segmenter", "embedder")
    }
    message: Any = getattr(events_pb2, type(event).__name__)(**fields)
    if isinstance(event, PhotoOffered):
        _write_metadata(message, event.metadata)
    if isinstance(event, PhotoIngested) and event.photo is not None:
        photo = event.photo
        message.photo.file_name = photo.file_name
        message.photo.width, message.photo.height = photo.width, photo.height
        _write_metadata(message.photo, photo.metadata)
    for part in ("segmenter", "embedder"):
        stamp = getattr(event, part, None)
        if stamp is not None:
            getattr(message, part).CopyFrom(stamp_to_message(stamp))
    return message  # type: ignore[no-any-return]


def stamp_to_message(stamp: ModelStamp) -> events_pb2.ModelStamp:
    """A model's stamp as message."""
    return events_pb2.ModelStamp(name=stamp.name, version=stamp.version, sha256=stamp.sha256)


def stamp_from_message(message: events_pb2.ModelStamp) -> ModelStamp:
    """The stamp of a message."""
    return ModelStamp(message.name, message.version, message.sha256)


def offer_from_message(message: events_pb2.PhotoOffered) -> PhotoOffered:
    """The offer of a message."""
    return PhotoOffered(
        collection=message.collection,
        file_name=message.file_name,
        key=message.key,
        data=message.data,
        metadata=_read_metadata(message),
    )


def masks_to_message(document: MasksDocument) -> masks_pb2.Masks:
    """A masks document as message."""
    return masks_pb2.Masks(
        photo_id=document.photo.id,
        width=document.photo.width,
        height=document.photo.height,
        segmenter=stamp_to_message(document.segmenter),
        units=[_unit_to_message(g) for g in document.garments],
    )


def masks_from_message(message: masks_pb2.Masks) -> MasksDocument:
    """The masks document of a message; ``MessageRejected`` where its masks are none."""
    if not 0 < message.width * message.height <= MOST_PIXELS or len(message.units) > MOST_UNITS:
        raise MessageRejected("The masks are of no photo that is read, or are too many.")
    size = (message.height, message.width)
    return MasksDocument(
        photo=Photo(message.photo_id, "", message.width, message.height),
        segmenter=stamp_from_message(message.segmenter),
        garments=tuple(_unit_from_message(u, size) for u in message.units),
    )


def _unit_to_message(garment: Garment) -> masks_pb2.Unit:
    found = garment.detection
    return masks_pb2.Unit(
        id=garment.id,
        unit=garment.unit,
        category=found.category,
        score=found.score,
        bbox=found.bbox,
        area=found.area,
        counts=found.mask.counts,
    )


def _unit_from_message(message: masks_pb2.Unit, size: tuple[int, int]) -> Garment:
    if len(message.bbox) != 4:
        raise MessageRejected(f"The box of unit {message.id!r} has not four values.")
    x, y, w, h = message.bbox
    check_box((x, y, w, h), height=size[0], width=size[1])
    check_counts(message.counts, height=size[0], width=size[1])
    mask = Mask(height=size[0], width=size[1], counts=message.counts)
    detection = Detection(message.category, message.score, (x, y, w, h), message.area, mask)
    return Garment(message.id, message.unit, detection)


def _write_metadata(message: Any, metadata: Mapping[str, MetadataValue]) -> None:
    for name, value in metadata.items():
        _write_value(message.metadata[name], value)


def _read_metadata(message: Any) -> dict[str, MetadataValue]:
    return {name: _read_value(value) for name, value in message.metadata.items()}


def _write_value(message: events_pb2.MetadataValue, value: MetadataValue) -> None:
    if isinstance(value, bool):
        message.flag = value
    elif isinstance(value, int):
        message.integer = value
    elif isinstance(value, float):
        message.number = value
    else:
        message.text = value


def _read_value(message: events_pb2.MetadataValue) -> MetadataValue:
    kind = message.WhichOneof("kind")
    value: MetadataValue = getattr(message, kind) if kind else ""
    return value


def _ingested(m: Any) -> PhotoIngested:
    if not m.HasField("photo"):
        return PhotoIngested(m.collection, m.photo_id)
    if not 0 < m.photo.width * m.photo.height <= MOST_PIXELS:
        raise MessageRejected("The photo has a size that no photo has.")
    photo = Photo(
        m.photo_id, m.photo.file_name, m.photo.width, m.photo.height, _read_metadata(m.photo)
    )
    return PhotoIngested(m.collection, m.photo_id, photo)


def _segmented(m: Any) -> PhotoSegmented:
    return PhotoSegmented(m.collection, m.photo_id, stamp_from_message(m.segmenter), m.fresh)


def _embedded(m: Any) -> PhotoEmbedded:
    stamps = (stamp_from_message(m.segmenter), stamp_from_message(m.embedder))
    return PhotoEmbedded(m.collection, m.photo_id, *stamps)


_READERS: Mapping[str, Callable[[Any], Event]] = {
    "PhotoOffered": offer_from_message,
    "PhotoIngested": _ingested,
    "PhotoSegmented": _segmented,
    "PhotoEmbedded": _embedded,
    "MapRequested": lambda m: MapRequested(
        m.collection, m.version, m.unit or "garment", m.perplexity, m.seed
    ),
    "MapUpdated": lambda m: MapUpdated(m.collection, m.version, m.photo_id),
    "CollectionGrew": lambda m: CollectionGrew(m.collection, m.wait),
}
