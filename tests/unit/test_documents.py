"""Stored documents and messages: what is written is what is read."""

import pytest

from fashionmap.adapters.codec import decode, encode, routing_key, type_name
from fashionmap.domain import keys
from fashionmap.domain.documents import masks_from_bytes, masks_to_bytes
from fashionmap.domain.events import (
    MapRequested,
    MapUpdated,
    PhotoEmbedded,
    PhotoIngested,
    PhotoOffered,
    PhotoSegmented,
)
from fashionmap.domain.garment import Detection, Garment, Mask, MasksDocument
from fashionmap.domain.photo import ModelStamp, Photo
from fashionmap.errors import MessageRejected, UsageError

STAMP = ModelStamp("garments-small", "1.2", "ab" * 32)
EVENTS = [
    PhotoOffered("c", "ä ö.jpg", key="k", metadata={"a": 1, "b": "x", "c": 1.5, "d": True}),
    PhotoOffered("c", "b.jpg", data=b"\x00\xff"),
    PhotoIngested("c", "f" * 64),
    PhotoIngested("c", "f" * 64, Photo("f" * 64, "ö.jpg", 30, 20, {"a": 1, "b": False})),
    PhotoSegmented("c", "f" * 64, STAMP),
    PhotoSegmented("c", "f" * 64, STAMP, fresh=True),
    PhotoEmbedded("c", "f" * 64, STAMP, STAMP),
    MapRequested("c", "v", "look", 12.5, 7),
    MapUpdated("c", "v", "f" * 64),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_given_an_event_when_encoded_then_it_is_read_back(event) -> None:
    assert decode(type_name(event), encode(event)) == event
    assert encode(event) == encode(event)
    assert "." in routing_key(event)


@pytest.mark.parametrize("name", ["", "Elephant", "fashionmap.v1.Elephant", "PhotoIngested"])
def test_given_an_unknown_type_when_decoded_then_it_is_rejected(name: str) -> None:
    with pytest.raises(MessageRejected, match="Nobody knows"):
        decode(name, b"")


def test_given_rubbish_when_decoded_then_it_is_rejected() -> None:
    with pytest.raises(MessageRejected, match="cannot be decoded"):
        decode("fashionmap.v1.PhotoIngested", b"\xff\xff\xff\xff")


@pytest.mark.parametrize("size", [(0, 20), (100_000, 100_000)])
def test_given_a_size_that_no_photo_has_when_decoded_then_it_is_rejected(
    size: tuple[int, int],
) -> None:
    event = PhotoIngested("c", "f" * 64, Photo("f" * 64, "a.jpg", *size))
    with pytest.raises(MessageRejected, match="no photo has"):
        decode(type_name(event), encode(event))


def test_given_a_masks_document_when_written_then_it_is_read_back_and_canonical() -> None:
    photo = Photo("f" * 64, "ü.jpg", 30, 20, {"season": "SS"})
    mask = Mask(20, 30, "PPn0")
    garment = Garment("f-0", "garment", Detection("top", 0.5, (1.0, 2.0, 3.0, 4.0), 5, mask))
    document = MasksDocument(photo, STAMP, (garment,))
    data = masks_to_bytes(document)
    assert masks_from_bytes(data) == document
    assert masks_to_bytes(masks_from_bytes(data)) == data
    assert b", " not in data


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"photo": 1}', b"\xff"])
def test_given_a_damaged_document_when_read_then_it_is_rejected(data: bytes) -> None:
    with pytest.raises(MessageRejected):
        masks_from_bytes(data)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "ä", "x" * 101, "a b"])
def test_given_a_bad_collection_name_when_used_then_the_user_hears_of_it(name: str) -> None:
    with pytest.raises(UsageError):
        keys.collection(name)
