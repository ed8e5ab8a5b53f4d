"""A second opinion on names: what it sees, how both judge together, how it learns."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from fashionmap.adapters.weights import read_weights, shipped_weights
from fashionmap.domain.garment import Detection
from fashionmap.domain.photo import ModelStamp
from fashionmap.domain.taxonomy import MODANET_PERSON
from fashionmap.errors import DatasetRejected, UsageError, WeightsRejected
from fashionmap.segmentation.closer import Raw
from fashionmap.segmentation.detections import detections_of
from fashionmap.segmentation.model import ARCHITECTURES, MaskRCNNSegmenter, load_segmenter
from fashionmap.segmentation.names import (
    FADED,
    LESS,
    SIDE,
    WEIGHT,
    NamingNetwork,
    SecondOpinion,
    by_itself,
    pictures_of,
    renamed,
    split_names,
    sure_before,
)
from fashionmap.training.names.candidates import NOTHING, candidates_of
from fashionmap.training.names.trainer import NamingPlan, initial_network, train_names, view_of
from fashionmap.training.segmenter.augment import Augmentation
from fashionmap.training.segmenter.samples import Labelled, load_labelled

TOP, DRESS, PERSON = 1, 2, 3


def found(*rows: tuple[int, float]) -> Raw:
    return {
        "boxes": np.array(
            [(10 * i, 0, 10 * i + 40, 60) for i in range(len(rows))], np.float32
        ).reshape(-1, 4),
        "labels": np.array([label for label, _ in rows], np.float32),
        "scores": np.array([score for _, score in rows], np.float32),
        "masks": np.ones((len(rows), 1, 4, 4), np.float32),
    }


def test_given_a_garment_when_seen_by_itself_then_it_is_in_the_middle_with_what_lies_around() -> (
    None
):
    photo = np.zeros((300, 200, 3), np.uint8)
    photo[60:220, 50:130] = (200, 10, 30)
    grid = np.ones((56, 56), np.float32)
    square = by_itself(photo, np.array([50, 60, 130, 220], np.float32), grid, side=120)
    rows, columns = np.nonzero(square[..., 3])
    assert (rows.min(), rows.max() + 1) == (10, 110)
    assert (columns.min(), columns.max() + 1) == (35, 85)
    assert (square[12:108, 37:83, :3] == (200, 10, 30)).all()
    assert (square[:8, 5:, :3] == 0).all()
    assert (square[:, :3, :3] == 127).all()  # left of the photo
    assert square.shape == (120, 120, 4)


@pytest.mark.parametrize(
    "box",
    [(-3, -2, 40, 30), (0, 0, 1, 1), (150, 250, 200, 300), (20, 5, 21, 299), (9.4, 9.5, 9.6, 9.9)],
)
@pytest.mark.parametrize("side", [SIDE, 24])
def test_given_any_box_when_seen_by_itself_then_there_is_a_garment_in_the_square(
    box: tuple[float, ...], side: int
) -> None:
    photo = np.full((300, 200, 3), 9, np.uint8)
    square = by_itself(photo, np.array(box, np.float32), np.ones((56, 56), np.float32), side=side)
    assert square.shape == (side, side, 4)
    assert square[..., 3].max() == 255
    assert set(np.unique(square[..., :3])) <= {9, 127}


def test_given_squares_when_they_become_pictures_then_only_what_is_around_fades() -> None:
    square = np.full((1, SIDE, SIDE, 4), 255, np.uint8)
    square[:, :, : SIDE // 2, 3] = 0
    picture = pictures_of(square)
    assert picture.shape == (1, 3, SIDE, SIDE)
    assert torch.allclose(picture[..., SIDE // 2 :], torch.tensor(1.0))
    assert torch.allclose(picture[..., : SIDE // 2], torch.tensor(1 - FADED), atol=1e-6)


def test_given_two_judgements_when_joined_then_the_score_is_their_geometric_mean() -> None:
    raw = found((TOP, 0.8), (DRESS, 0.5), (PERSON, 0.9))
    opinions = np.array([[0, 0.9, 0.05, 0.05], [0.1, 0.6, 0.3, 0], [0, 0, 0, 0.2]], np.float32)
    both = renamed(raw, opinions, np.array([True, True, False]))
    assert both["labels"].tolist() == [TOP, DRESS, PERSON, TOP]
    share = WEIGHT
    expected = [0.8 ** (1 - share) * 0.9**share, 0.5 ** (1 - share) * 0.3**share, 0.9]
    other = 0.5 ** (1 - share) * 0.6**share * LESS * 0.6 / (0.6 + 0.3)
    assert both["scores"].tolist() == pytest.approx([*expected, other])
    assert (both["boxes"][3] == raw["boxes"][1]).all()
    assert both["masks"].shape == (4, 1, 4, 4)
    assert raw["scores"].tolist() == pytest.approx([0.8, 0.5, 0.9])


def test_given_a_threshold_then_what_both_may_lift_over_it_is_not_lost_before() -> None:
    least = sure_before(0.4)
    lifted = renamed(found((TOP, least)), np.array([[0, 1, 0, 0]], np.float32), np.array([True]))
    assert lifted["scores"][0] == pytest.approx(0.4)


def test_given_nothing_found_when_asked_for_an_opinion_then_nothing_is_found() -> None:
    opinion = SecondOpinion(
        NamingNetwork(3), device=torch.device("cpu"), dtype=torch.float32, person=PERSON
    )
    nothing = opinion(np.zeros((90, 90, 3), np.uint8), found())
    assert nothing["boxes"].shape == (0, 4)
    assert nothing["masks"].shape == (0, 1, 4, 4)


def test_given_people_and_garments_when_asked_then_only_the_doubtful_ones_are_looked_at() -> None:
    network = NamingNetwork(3)
    torch.nn.init.zeros_(network.name.weight)
    torch.nn.init.zeros_(network.name.bias)
    opinion = SecondOpinion(network, device=torch.device("cpu"), dtype=torch.float32, person=PERSON)
    photo = np.random.default_rng(0).integers(256, size=(90, 90, 3), dtype=np.uint8)
    both = opinion(photo, found((TOP, 0.9), (DRESS, 0.1), (PERSON, 0.7), (TOP, 0.98)))
    likely = 0.25**WEIGHT  # of nothing and three labels
    beside = 0.9 ** (1 - WEIGHT) * likely * LESS / 2
    looked_at, less_likely = 0.9 ** (1 - WEIGHT) * likely, 0.1 ** (1 - WEIGHT) * 0.5**WEIGHT
    assert both["labels"].tolist() == [TOP, DRESS, PERSON, TOP, DRESS, PERSON]
    assert both["scores"].tolist() == pytest.approx(
        [looked_at, less_likely, 0.7, 0.98 ** (1 - WEIGHT), beside, beside]
    )


def test_given_a_photo_and_its_mirror_image_when_both_ways_are_looked_at_then_opinions_mirror() -> (
    None
):
    torch.manual_seed(5)
    network = initial_network(shipped_weights("garments-embedder"), 3)
    torch.nn.init.normal_(network.name.weight, std=0.5)
    place = {"device": torch.device("cpu"), "dtype": torch.float32, "person": PERSON}
    noise = np.random.default_rng(1).integers(256, size=(64, 96, 3), dtype=np.uint8)
    photo = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 6), None, 0, 255, cv2.NORM_MINMAX)
    turned = np.ascontiguousarray(photo[:, ::-1])
    one = found((TOP, 0.9), (DRESS, 0.8))
    other = {**one, "boxes": one["boxes"].copy(), "masks": one["masks"][..., ::-1]}
    other["boxes"][:, [0, 2]] = 96 - one["boxes"][:, [2, 0]]

    def apart(opinion: SecondOpinion) -> float:
        return float(
            np.abs(opinion(photo, one)["scores"][:2] - opinion(turned, other)["scores"][:2]).max()
        )

    both_ways, one_way = (SecondOpinion(network, **place, mirror=way) for way in (True, False))
    assert apart(both_ways) < 1e-4 < 1e-2 < apart(one_way)


def test_given_a_large_segmenter_that_knows_people_when_asked_then_people_keep_their_scores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = MODANET_PERSON.categories
    large = MaskRCNNSegmenter(
        ARCHITECTURES["resnet50_fpn_v2"](len(names)),
        stamp=ModelStamp("large", "1", "0" * 64),
        labels=names,
        device="cpu",
        threshold=0.1,
        naming=NamingNetwork(len(names)),
    )
    raw = found((MODANET_PERSON.id_of("person"), 0.8), (MODANET_PERSON.id_of("top"), 0.8))
    monkeypatch.setattr(large, "raw", lambda _photo: raw)
    photo = np.random.default_rng(0).integers(256, size=(120, 90, 3), dtype=np.uint8)
    scores = {d.category: d.score for d in large.everything(photo)}
    assert scores["person"] == pytest.approx(0.8)
    assert scores["top"] < 0.7


def test_given_a_file_without_opinion_when_loaded_then_the_segmenters_own_scores_stand(
    looks: Path, tmp_path: Path
) -> None:
    shipped = shipped_weights("garments-small")
    own, of_names = split_names(shipped.tensors)
    assert own
    assert of_names
    assert {
        **own,
        **{f"names.{k}": v for k, v in of_names.items()},
    }.keys() == shipped.tensors.keys()
    path = tmp_path / "w.safetensors"
    save_file(own, path, metadata=dict(shipped.metadata))
    photo = cv2.cvtColor(cv2.imread(str(labelled(looks, 1)[0].path)), cv2.COLOR_BGR2RGB)
    height, width = photo.shape[:2]

    def alone(segmenter: MaskRCNNSegmenter) -> list[Detection]:
        raw = segmenter.found(photo)
        return detections_of(raw, segmenter.labels, height=height, width=width, threshold=0.4)

    without, with_it = load_segmenter(str(path)), load_segmenter("garments-small")
    assert without.everything(photo) == alone(without)
    assert with_it.everything(photo) != alone(with_it)


def test_given_names_that_do_not_fit_when_loaded_then_it_says_so(tmp_path: Path) -> None:
    shipped = shipped_weights("garments-small")
    path = tmp_path / "w.safetensors"
    tensors = {**load_file(shipped.path), "names.name.bias": torch.zeros(3)}
    save_file(tensors, path, metadata=dict(shipped.metadata))
    with pytest.raises(WeightsRejected, match="does not fit garments-small"):
        load_segmenter(str(path))


def labelled(looks: Path, count: int) -> list[Labelled]:
    return load_labelled(looks / "annotations.json", looks / "images", MODANET_PERSON)[:count]


def test_given_looks_when_candidates_are_sought_then_true_and_found_garments_are_told(
    looks: Path,
) -> None:
    segmenter = load_segmenter(threshold=0.05)
    photo = labelled(looks, 1)[0]
    candidates = candidates_of(photo, segmenter)
    person = MODANET_PERSON.id_of("person")
    true = [a["label"] for a in photo.annotations if a["label"] != person]
    drawn = [c for c in candidates if not c.guess]
    assert sorted(c.label for c in drawn) == sorted(true)
    assert all(c.grid.shape == (56, 56) and c.grid.max() == 255 for c in drawn)
    guessed = [c for c in candidates if c.guess]
    assert guessed
    assert {c.label for c in guessed} <= {NOTHING, *true}
    assert person not in {c.guess for c in guessed}


def test_given_an_ignored_region_when_something_is_found_there_then_it_is_not_called_nothing(
    looks: Path,
) -> None:
    segmenter = load_segmenter(threshold=0.05)
    photo = labelled(looks, 1)[0]
    crowd = tuple({**a, "iscrowd": 1} for a in photo.annotations)
    ignored = Labelled(photo.path, photo.height, photo.width, crowd)
    bare = Labelled(photo.path, photo.height, photo.width, ())
    assert len(candidates_of(ignored, segmenter)) < len(candidates_of(bare, segmenter))
    assert {c.label for c in candidates_of(bare, segmenter)} == {NOTHING}


def test_given_a_square_when_viewed_then_views_differ_and_keep_the_garment() -> None:
    plan = NamingPlan(augmentation=Augmentation(erase=0, light=0, hue=0, grey=0, soften=0))
    square = np.zeros((168, 168, 4), np.uint8)
    cv2.circle(square, (84, 84), 50, (250, 120, 10, 255), -1)
    random = np.random.default_rng(3)
    views = [view_of(square, plan, random) for _ in range(6)]
    assert all(v.shape == (112, 112, 4) for v in views)
    assert len({v.tobytes() for v in views}) == 6
    assert all(0.6 < (v[..., 3] > 127).sum() / (np.pi * 33**2) < 1.6 for v in views)


def test_given_looks_when_names_are_learned_then_the_file_is_a_segmenter_and_again_the_same(
    looks: Path, tmp_path: Path
) -> None:
    weights = shipped_weights("garments-small")
    photos, told = labelled(looks, 5), []

    def learn(path: Path) -> str:
        return train_names(
            NamingPlan(epochs=2, photos=2, seed=3),
            train=photos,
            val=photos[:2],
            segmenter=load_segmenter(threshold=0.05),
            weights=weights,
            init=shipped_weights("garments-embedder"),
            out=path,
            version="9.9",
            say=told.append,
        )

    first, again = learn(tmp_path / "a.safetensors"), learn(tmp_path / "b.safetensors")
    assert first == again
    assert any("names right on val" in line and "by the network" in line for line in told)
    learned = read_weights(tmp_path / "a.safetensors")
    assert learned.metadata["version"] == "9.9"
    own, of_names = split_names(learned.tensors)
    assert all(torch.equal(own[k], v) for k, v in split_names(weights.tensors)[0].items())
    before = shipped_weights("garments-embedder").tensors
    assert torch.equal(of_names["blocks.3.conv.2.weight"], before["blocks.3.conv.2.weight"])
    assert not torch.equal(of_names["blocks.18.0.weight"], before["blocks.18.0.weight"])
    photo = cv2.cvtColor(cv2.imread(str(photos[0].path)), cv2.COLOR_BGR2RGB)
    assert load_segmenter(f"{tmp_path / 'a.safetensors'}+mirror").segment([photo])[0]


def test_given_nothing_to_learn_from_when_trained_then_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetRejected, match="no garments to learn names from"):
        train_names(
            NamingPlan(epochs=1),
            train=[],
            val=[],
            segmenter=load_segmenter(),
            weights=shipped_weights("garments-small"),
            init=shipped_weights("garments-embedder"),
            out=tmp_path / "w.safetensors",
            version="1",
        )


def test_given_foreign_weights_to_begin_with_then_it_says_so() -> None:
    foreign = shipped_weights("garments-small")
    with pytest.raises(UsageError, match="nothing that fits a naming network"):
        initial_network(foreign, 14)
