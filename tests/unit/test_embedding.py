"""Cut-outs, colours, squares, and the colour difference's published values."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from fashionmap.domain.garment import Detection, Mask
from fashionmap.embedding.colours import dominant_colours
from fashionmap.embedding.cutout import cut_out, thumbnail
from fashionmap.embedding.model import on_neutral_square
from fashionmap.training.embedder.measure import (
    accuracy_among,
    ciede2000,
    neighbour_accuracy,
    view_recall,
)


def detection(mask: np.ndarray) -> Detection:
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    x, y, w, h = (float(v) for v in coco_mask.toBbox(rle))
    shape = Mask(*mask.shape, rle["counts"].decode())
    return Detection("top", 0.9, (x, y, w, h), int(mask.sum()), shape)


@pytest.mark.parametrize("reduced", [1, 2])
def test_given_a_mask_when_cut_out_then_alpha_is_the_mask_and_pixels_are_the_photos(
    reduced: int,
) -> None:
    photo = np.zeros((120, 80, 3), np.uint8)
    photo[40:80, 20:60] = (200, 30, 40)
    mask = np.zeros((120, 80), bool)
    mask[40:80, 20:60] = True
    cutout = cut_out(photo[::reduced, ::reduced], detection(mask))
    assert cutout.shape == (40 // reduced, 40 // reduced, 4)
    assert (cutout[..., 3] == 255).all()
    assert (cutout[..., :3] == (200, 30, 40)).all()


def test_given_a_thumbnail_when_read_then_it_is_small_and_transparent() -> None:
    import io

    from PIL import Image

    cutout = np.zeros((300, 200, 4), np.uint8)
    cutout[100:200, 50:150] = (10, 200, 30, 255)
    with Image.open(io.BytesIO(thumbnail(cutout))) as image:
        assert max(image.size) == 192
        assert image.mode == "RGBA"


def test_given_two_colours_when_named_then_shares_are_theirs() -> None:
    cutout = np.zeros((100, 100, 4), np.uint8)
    cutout[..., 3] = 255
    cutout[:70, :, :3] = (200, 20, 20)
    cutout[70:, :, :3] = (20, 20, 200)
    colours, shares = dominant_colours(cutout)
    assert colours[0].startswith("#c8")
    assert shares == pytest.approx([0.7, 0.3], abs=0.02)
    assert dominant_colours(cutout) == (colours, shares)


def test_given_nothing_when_asked_for_colours_then_there_are_none() -> None:
    assert dominant_colours(np.zeros((10, 10, 4), np.uint8)) == ([], [])


@pytest.mark.parametrize("alpha", [5, 200])
def test_given_a_single_pixel_when_asked_for_colours_then_it_is_the_one(alpha: int) -> None:
    cutout = np.zeros((9, 9, 4), np.uint8)
    cutout[2, 2] = (10, 20, 30, alpha)
    assert dominant_colours(cutout) == (["#0a141e"], [1.0])


def test_given_a_tall_cutout_when_squared_then_its_aspect_is_kept() -> None:
    cutout = np.full((200, 50, 4), 255, np.uint8)
    square = on_neutral_square(cutout, 160)
    worn = (square > 0.9).all(axis=2)
    assert worn.any(axis=1).sum() == 140
    assert worn.any(axis=0).sum() == 35


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [  # Sharma, Wu and Dalal 2005, table 1, pairs 1, 7, 17, 25
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_given_published_pairs_when_compared_then_ciede2000_is_theirs(one, two, expected) -> None:
    found = ciede2000(np.array(one, np.float32), np.array(two, np.float32))
    assert float(found) == pytest.approx(expected, abs=2e-4)


def test_given_known_vectors_when_measured_then_figures_are_right() -> None:
    known = np.eye(4, dtype=np.float32)
    assert (
        neighbour_accuracy(known, ["a", "b", "c", "d"], known, ["a", "b", "c", "x"], count=1)
        == 0.75
    )
    assert view_recall(known, known[[0, 1, 3, 2]]) == 0.5


def test_given_garments_among_each_other_when_measured_then_none_votes_for_itself() -> None:
    angles = np.radians([0, 1, 2, 90, 91, 45])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert accuracy_among(vectors, ["a", "a", "a", "b", "b", "c"], count=1) == pytest.approx(5 / 6)
    assert accuracy_among(vectors, ["a", "b", "b", "c", "c", "c"], count=1) == pytest.approx(4 / 6)
