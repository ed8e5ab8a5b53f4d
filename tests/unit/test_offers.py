"""What ingest lets in, and what may stand in a key or a mask from a stranger."""

from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.photo_decoder import PhotoDecoder
from fashionmap.domain import keys
from fashionmap.domain.events import PhotoOffered
from fashionmap.domain.photo import ModelStamp
from fashionmap.domain.rle import check_box, check_counts
from fashionmap.errors import MessageRejected, PermanentError, UsageError
from fashionmap.ingest.handler import ingest_photo

LONG = "x" * 4001


@pytest.mark.parametrize(
    ("offer", "word"),
    [
        (PhotoOffered("c", "a", key="collections/d/photos/x/original"), "another collection"),
        (PhotoOffered("c", "a", key="collections/../d"), "is none"),
        (PhotoOffered("c", "a", key="/collections/d/photos/x/original"), "is none"),
        (PhotoOffered("c", "a", key="//collections/d/photos/x/original"), "is none"),
        (PhotoOffered("c", "a", key="a/../collections/d/photos/x/original"), "is none"),
        (PhotoOffered("c", "a", key="https://example.com/a.jpg"), "no object key"),
        (PhotoOffered("c", "a", data=b"x", metadata={LONG[:101]: 1}), "1 to 100 characters"),
        (PhotoOffered("c", "a", data=b"x", metadata={"a": LONG}), "4,000 characters"),
        (PhotoOffered("c", "a", data=b"x", metadata={"a": float("inf")}), "finite"),
        (PhotoOffered("c", "a", data=b"x", metadata={str(i): i for i in range(101)}), "100 are"),
        (PhotoOffered("c", LONG, data=b"x"), "file name"),
    ],
)
def test_given_an_offer_that_goes_too_far_when_ingested_then_it_is_refused(
    offer: PhotoOffered, word: str, tmp_path: Path
) -> None:
    with pytest.raises(PermanentError, match=word):
        ingest_photo(offer, blobs=FilesystemBlobStore(tmp_path), decoder=PhotoDecoder())


@pytest.mark.parametrize("part", ["", ".", "..", "a/b", ".hidden", "ä", "x" * 201, "a b"])
def test_given_what_leads_out_of_its_place_when_made_a_key_then_it_is_refused(part: str) -> None:
    stamp = ModelStamp(part, "1", "0" * 64)
    for make in (
        lambda: keys.photo("c", part),
        lambda: keys.map_version("c", part),
        lambda: keys.failure("c", "ingest", part),
    ):
        with pytest.raises(UsageError):
            make()
    if part not in ("", "x" * 201):
        with pytest.raises(UsageError):
            keys.masks("c", "0" * 64, stamp)


def test_given_masks_when_checked_then_pycocotools_own_pass_and_others_do_not() -> None:
    chance = np.random.default_rng(1)
    for _ in range(50):
        height, width = (int(v) for v in chance.integers(1, 90, 2))
        pixels = (chance.random((height, width)) < chance.random()).astype(np.uint8)
        counts = coco_mask.encode(np.asfortranarray(pixels))["counts"].decode()
        assert check_counts(counts, height=height, width=width) == counts
        with pytest.raises(MessageRejected):
            check_counts(counts, height=height, width=width + 1)
    for counts in ("", "zzzz", "é", "P" * 50, "~", "oooooooooooooooo"):
        with pytest.raises(MessageRejected):
            check_counts(counts, height=20, width=20)
    check_box((0, 0, 20, 10), height=10, width=20)
    for box in ((0, 0, 21, 5), (-1, 0, 5, 5), (0, 0, 0, 5), (float("nan"), 0, 5, 5)):
        with pytest.raises(MessageRejected):
            check_box(box, height=10, width=20)
