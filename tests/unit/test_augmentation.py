"""Augmented training samples: pictures and masks move together, what is covered is gone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fashionmap.domain.taxonomy import MODANET_PERSON
from fashionmap.training.segmenter.augment import Augmentation
from fashionmap.training.segmenter.samples import IGNORED, GarmentSamples, cover, load_labelled

CANVAS = (240, 160)
STILL = {"flip": 0.0, "light": 0.0, "hue": 0.0, "turn": 0.0, "grey": 0.0, "soften": 0.0}
ALONE = {"erase": 0.0, "paste": 0.0, "company": 0.0, "bare": 0.0, "closer": 0.0, "farther": 0.0}


def samples(looks: Path, **settings: float) -> GarmentSamples:
    photos = load_labelled(looks / "annotations.json", looks / "images", MODANET_PERSON)
    made = GarmentSamples(photos, MODANET_PERSON, Augmentation(**settings), seed=1)
    made.start_epoch(0, CANVAS)
    return made


@pytest.mark.parametrize("turn", [0.0, 25.0])
def test_given_a_warp_when_applied_then_picture_and_mask_lie_on_each_other(turn: float) -> None:
    photo = np.zeros((200, 100, 3), np.uint8)
    photo[60:120, 30:80] = 255
    mask = (photo[..., 0] > 0).astype(np.uint8)
    for seed in range(20):
        random = np.random.default_rng(seed)
        augmentation = Augmentation(turn=turn, leaning=0.0)
        warp = augmentation.warp((200, 100), CANVAS, random, size=0.75 + seed / 20)
        seen = warp.image(photo)[..., 0] > 190
        moved = warp.mask(mask) > 0
        assert (seen != moved).sum() <= 0.1 * moved.sum() + 4
        assert warp.matrix[:, 0] @ warp.matrix[:, 1] == pytest.approx(0, abs=1e-9)  # no shear
        assert turn or warp.matrix[0, 1] == warp.matrix[1, 0] == 0


def test_given_people_who_lean_when_warped_then_only_they_turn_further() -> None:
    def turns(**settings: float) -> list[float]:
        augmentation = Augmentation(turn=8.0, lean=40.0, flip=0.0, **settings)
        randoms = (np.random.default_rng(seed) for seed in range(60))
        warps = [augmentation.warp((200, 100), CANVAS, random, size=1.0) for random in randoms]
        return [abs(np.degrees(np.arctan2(*w.matrix[:, 0][::-1]))) for w in warps]

    assert max(turns(leaning=0.0)) <= 8
    assert 30 < max(turns(leaning=1.0)) <= 40
    further = sum(turn > 8 for turn in turns(leaning=0.3))
    assert 5 < further < 25


def test_given_masks_when_covered_then_small_rests_are_ignored() -> None:
    area = np.zeros((10, 10), np.uint8)
    area[:, :6] = 1
    masks = [np.ones((10, 10), np.uint8), np.zeros((10, 10), np.uint8)]
    masks[1][:, 4:] = 1
    labels = [3, 7]
    cover(area, masks, labels)
    assert [int(m.sum()) for m in masks] == [40, 40]
    assert labels == [IGNORED, 7]


def test_given_erasing_when_sampled_then_nothing_under_it_is_a_garment(looks: Path) -> None:
    whole, holed = (
        samples(looks, **STILL, **ALONE),
        samples(looks, **STILL, **{**ALONE, "erase": 1}),
    )
    for index in range(6):
        (image, target), (seen, rest) = whole[index], holed[index]
        gone = (image != seen).any(dim=0)
        assert 0.005 < gone.float().mean() < 0.1
        assert not (rest["semantic"][gone] % IGNORED).any()
        assert torch.equal(rest["semantic"][~gone] == 0, target["semantic"][~gone] == 0)


def test_given_company_when_sampled_then_another_look_stands_in_the_photo(looks: Path) -> None:
    alone, two = (
        samples(looks, **STILL, **ALONE),
        samples(looks, **STILL, **{**ALONE, "company": 1}),
    )
    person = MODANET_PERSON.id_of("person")
    more = 0
    for index in range(8):
        (_, before), (image, after) = alone[index], two[index]
        assert image.shape == (3, *CANVAS)
        people = [int((t["labels"] == person).sum()) for t in (before, after)]
        assert people[1] >= 1
        more += people[1] > people[0]
        overlap = after["masks"][after["labels"] != person].sum(dim=0)
        assert overlap.max() <= 2
    assert more >= 2


def test_given_close_ups_when_sampled_then_garments_fill_the_canvas(looks: Path) -> None:
    usual, close = (samples(looks, **{**ALONE, "closer": share}) for share in (0.0, 1.0))
    sizes: list[list[float]] = [[], []]
    for epoch in range(3):
        for made, shares in zip((usual, close), sizes, strict=True):
            made.start_epoch(epoch, CANVAS)
            shares.extend(largest_share(made[i][1]) for i in range(len(made)))
    assert np.mean(sizes[1]) > 1.5 * np.mean(sizes[0])
    assert max(sizes[1]) > 0.4


def test_given_people_far_away_when_sampled_then_they_are_small_and_come_in_groups(
    looks: Path,
) -> None:
    far = samples(looks, **{**ALONE, "farther": 1.0})
    person = MODANET_PERSON.id_of("person")
    targets = [far[i][1] for i in range(12)]
    assert max((t["labels"] == person).sum() for t in targets) >= 3
    tall = [float(b[3] - b[1]) for t in targets for b in t["boxes"][t["labels"] == person]]
    assert max(tall) < 0.9 * CANVAS[0]


def test_given_a_photo_smaller_than_its_canvas_when_sampled_then_grounds_differ(
    looks: Path,
) -> None:
    far = samples(looks, **STILL, **{**ALONE, "farther": 1.0})
    corners = {tuple((far[i][0][:, 0, 0] * 255).int().tolist()) for i in range(12)}
    assert (127, 127, 127) in corners
    assert len(corners) >= 4


def largest_share(target: dict[str, torch.Tensor]) -> float:
    """The largest garment's share of the canvas."""
    areas = (
        target["masks"].flatten(1).sum(dim=1)[target["labels"] != MODANET_PERSON.id_of("person")]
    )
    return float(areas.max()) / target["masks"][0].numel() if len(areas) else 0.0


def test_given_equal_seeds_when_sampled_then_samples_are_equal(looks: Path) -> None:
    one, other = (samples(looks)[3] for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert all(torch.equal(one[1][name], other[1][name]) for name in one[1])


def test_given_bare_pictures_when_sampled_then_they_show_nothing_and_black_is_among_them(
    looks: Path,
) -> None:
    bare = samples(looks, bare=1.0)
    pictures = []
    for index in range(min(len(bare), 60)):
        image, target = bare[index]
        assert len(target["boxes"]) == len(target["masks"]) == 0
        assert not target["semantic"].any()
        pictures.append(image.float().mean().item())
    assert min(pictures) < 0.05
    assert max(pictures) > 0.9
