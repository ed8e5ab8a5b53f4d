"""The poster: names of groups lie near their group, in free space, and never on each other."""

import io

import numpy as np
from PIL import Image

from fashionmap.projection.pictures import draw_poster
from fashionmap.projection.poster_labels import COARSE, PAPER, Name, free_place, write_names

RED = (200, 30, 40)


def cutout() -> bytes:
    sink = io.BytesIO()
    Image.new("RGBA", (60, 60), (*RED, 255)).save(sink, "WEBP", lossless=True)
    return sink.getvalue()


def test_given_a_taken_field_when_a_box_is_placed_then_it_is_beside_it_and_near() -> None:
    taken = np.zeros((60, 80), bool)
    taken[20:40, 20:60] = True
    place = free_place(taken, np.array([40.0, 24.0]), (10, 4), reach=12)
    assert place is not None
    x, y = place
    assert not taken[y : y + 4, x : x + 10].any()
    assert np.hypot(x + 5 - 40, y + 2 - 24) < 8
    assert free_place(taken, np.zeros(2), (81, 4), reach=12) is None


def test_given_everything_is_taken_when_a_box_is_placed_then_it_lies_where_it_was_wanted() -> None:
    place = free_place(np.ones((60, 80), bool), np.array([40.0, 30.0]), (10, 4), reach=12)
    assert place == (35, 28)


def test_given_two_names_for_one_place_when_written_then_both_can_be_read() -> None:
    paper = Image.new("RGB", (1600, 800), PAPER)
    write_names(paper, [Name("first", 800, 400, 90), Name("second", 800, 400, 90)])
    rows = (np.asarray(paper.convert("L")) < 160).any(axis=1)
    lines = np.flatnonzero(np.diff(np.concatenate([[0], rows.astype(int), [0]])))
    assert len(lines) == 4  # two lines of text, each with a begin and an end


def test_given_groups_when_a_poster_is_drawn_then_no_garment_is_covered_and_names_are_near() -> (
    None
):
    random = np.random.default_rng(0)
    left = random.normal((0, 0), 0.15, (40, 2))
    points = np.vstack([left, left + (9, 0)]).astype(np.float32)
    groups = [
        {"label": "red squares", "x": 0.0, "y": 0.0, "radius": 0.3, "count": 40},
        {"label": "others", "x": 9.0, "y": 0.0, "radius": 0.3, "count": 40},
    ]
    drawn = [
        np.asarray(Image.open(io.BytesIO(draw_poster(points, np.ones(80), pictures, chosen))))
        for chosen in (groups, [])
    ]
    red = [(np.abs(pixels.astype(int) - RED).sum(axis=2) < 40) for pixels in drawn]
    assert red[0].sum() == red[1].sum()
    written = (drawn[0] != drawn[1]).any(axis=2)
    y, x = np.nonzero(written)
    middle = drawn[0].shape[1] / 2
    for half, side in (
        (x < middle, red[0][:, : int(middle)]),
        (x >= middle, red[0][:, int(middle) :]),
    ):
        top = int(np.flatnonzero(side.any(axis=1))[0])
        assert half.any()
        assert abs(int(y[half].mean()) - top) < 60 * COARSE


def pictures(rows: list[int]) -> dict[int, bytes]:
    return dict.fromkeys(rows, cutout())
