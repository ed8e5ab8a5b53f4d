"""People who are small on a photo are looked at again."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fashionmap.domain.garment import Detection
from fashionmap.segmentation.closer import Raw, frames_of, joined
from fashionmap.segmentation.model import MaskRCNNSegmenter, load_segmenter

PERSON, BAG, TOP = 3, 1, 2


def raw(*rows: tuple[tuple[float, float, float, float], int, float]) -> Raw:
    return {
        "boxes": np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        "labels": np.array([label for _, label, _ in rows], np.int64),
        "scores": np.array([score for _, _, score in rows], np.float32),
        "masks": np.zeros((len(rows), 1, 4, 4), np.float32),
    }


def test_given_a_person_as_large_as_in_training_when_framed_then_once_is_enough() -> None:
    found = raw(((100, 40, 400, 780), PERSON, 0.9), ((0, 0, 40, 200), PERSON, 0.9))
    assert frames_of(found, PERSON, shape=(825, 550), scale=416 / 550) == []
    assert frames_of(raw(), PERSON, shape=(825, 550), scale=0.7) == []


def test_given_small_people_when_framed_then_those_in_front_fill_frames_inside_the_photo() -> None:
    front, beside = (900, 300, 1000, 640), (5, 310, 95, 650)
    behind, unsure = (500, 300, 530, 400), (600, 300, 700, 640)
    boxes = [(front, 0.9), (beside, 0.9), (behind, 0.9), (unsure, 0.3)]
    found = raw(*((box, PERSON, score) for box, score in boxes), (front, TOP, 0.9))
    frames = frames_of(found, PERSON, shape=(1000, 1500), scale=0.416)
    assert len(frames) == 2
    for left, top, right, bottom in frames:
        assert 0 <= left < right <= 1500
        assert 0 <= top < bottom <= 1000
        assert bottom - top == pytest.approx(400, abs=2)
        assert right - left == pytest.approx(267, abs=2)
    assert {left for left, _, _, _ in frames} == {816, 0}


def test_given_two_looks_when_joined_then_frames_hold_what_the_closer_saw_and_nothing_twice() -> (
    None
):
    person, inside, outside = (100, 100, 200, 400), (120, 150, 180, 250), (900, 100, 960, 160)
    first = raw((person, PERSON, 0.9), (inside, TOP, 0.6), (outside, BAG, 0.5))
    closer = raw(
        ((30, 60, 130, 360), PERSON, 0.9), ((52, 98, 108, 200), TOP, 0.8), ((0, 0, 9, 9), BAG, 0.7)
    )
    other = raw(((2, 48, 58, 150), TOP, 0.5))
    frames = [(70, 50, 280, 420), (120, 100, 330, 470)]
    found = joined(first, [closer, other], frames, person=PERSON)
    rows = sorted(zip(found["labels"].tolist(), found["boxes"].tolist(), strict=True))
    assert rows == [
        (BAG, [70, 50, 79, 59]),
        (BAG, list(outside)),
        (TOP, [122, 148, 178, 250]),
        (PERSON, list(person)),
    ]


@pytest.fixture(scope="module")
def segmenter() -> MaskRCNNSegmenter:
    return load_segmenter(device="cpu")


def test_given_a_look_on_a_large_ground_when_segmented_then_it_is_found_as_when_it_fills_the_photo(
    looks: Path, segmenter: MaskRCNNSegmenter
) -> None:
    photo = cv2.cvtColor(
        cv2.imread(str(sorted((looks / "images").iterdir())[0])), cv2.COLOR_BGR2RGB
    )
    high, wide = photo.shape[:2]
    down, right = high * 3 // 4, wide
    around = (down, high - down, right, 2 * wide - right)
    small = cv2.copyMakeBorder(photo, *around, cv2.BORDER_REPLICATE)
    large, found = (segmenter.segment([picture])[0] for picture in (photo, small))
    assert named(large).keys() <= named(found).keys()
    assert named(found).keys() <= named(large, least=0.4).keys()
    for category, detection in named(large).items():
        x, y, w, h = detection.bbox
        assert named(found)[category].bbox == pytest.approx(
            (x + right, y + down, w, h), abs=0.06 * high
        )


def named(found: list[Detection], *, least: float = 0.7) -> dict[str, Detection]:
    """The surest detection of each category, of those that are sure."""
    return {d.category: d for d in reversed(found) if d.score >= least}
