"""Close-ups are looked at again from farther away."""

import numpy as np
import pytest

from fashionmap.segmentation.farther import BLIND, LEAST, USUAL, share_of, shows_people
from fashionmap.segmentation.model import MaskRCNNSegmenter, load_segmenter
from tests.unit.test_closer import BAG, PERSON, raw

SHAPE, SCALE = (800, 1200), 416 / 800


def share(*rows: tuple[tuple[float, float, float, float], int, float]) -> float:
    return share_of(raw(*rows), PERSON, shape=SHAPE, scale=SCALE)


def test_given_a_bust_when_judged_then_it_is_shown_as_large_as_in_training() -> None:
    bust = (200, 60, 900, 800)  # 700 px wide, so were it whole it would be 1,960 px tall
    assert share((bust, PERSON, 0.9)) == pytest.approx(USUAL / (2.8 * 700 * SCALE))
    assert share((bust, PERSON, 0.5), ((0, 0, 90, 300), PERSON, 0.9)) < 1
    assert share(((0, 0, 1200, 800), PERSON, 0.9)) == LEAST


def test_given_whole_people_when_judged_then_once_is_enough() -> None:
    assert share(((400, 10, 650, 795), PERSON, 0.9)) == 1  # cut, but at whole length
    assert share(((100, 100, 800, 700), PERSON, 0.9)) == 1  # wide, but not cut
    assert share(((300, 500, 600, 800), PERSON, 0.9)) == 1  # cut, but no close-up


def test_given_two_people_taken_for_one_when_judged_then_the_pair_does_not_count() -> None:
    pair, one, other = (0, 20, 1000, 800), (20, 30, 450, 800), (560, 30, 980, 800)
    assert share((pair, PERSON, 0.9)) < 1
    alone = share((one, PERSON, 0.5))
    assert share((pair, PERSON, 0.9), (one, PERSON, 0.5), (other, PERSON, 0.4)) == alone


def test_given_nobody_when_judged_then_it_is_looked_at_from_afar_once() -> None:
    assert share() == share(((0, 0, 90, 90), BAG, 0.9)) == BLIND
    assert share(((0, 0, 900, 800), PERSON, 0.2)) == BLIND
    assert not shows_people(raw(((0, 0, 90, 90), BAG, 0.9), ((0, 0, 90, 90), PERSON, 0.4)), PERSON)
    assert shows_people(raw(((0, 0, 90, 90), PERSON, 0.6)), PERSON)


@pytest.fixture(scope="module")
def segmenter() -> MaskRCNNSegmenter:
    return load_segmenter(device="cpu")


@pytest.mark.parametrize("seen", [True, False])
def test_given_a_close_up_when_segmented_then_the_look_from_afar_counts_if_it_shows_somebody(
    segmenter: MaskRCNNSegmenter, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    person = segmenter.labels.index("person") + 1
    near = raw(((0, 0, 300, 200), person, 0.9))
    bag = ((10, 10, 99, 99), 1, 0.98)  # sure, so that nobody asks for another opinion
    afar = raw(((0, 0, 300, 200), person, 0.9 if seen else 0.1), bag)
    afar["masks"] += 1
    asked: list[float] = []

    def look(_photo: np.ndarray, share: float = 1.0) -> object:
        asked.append(share)
        return near if share == 1 else afar

    monkeypatch.setattr(segmenter, "raw", look)
    photo = np.random.default_rng(1).integers(256, size=(200, 300, 3), dtype=np.uint8)
    found = segmenter.segment([photo])[0]
    assert asked == [1.0, LEAST]
    assert len(found) == int(seen)
