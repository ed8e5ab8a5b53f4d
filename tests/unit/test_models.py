"""Models by name and by file: what is refused, and that a result is a photo's own."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torchvision import models
from typer.testing import CliRunner

from fashionmap.adapters.threads import use_threads
from fashionmap.adapters.weights import (
    averaged,
    download_weights,
    read_weights,
    write_weights,
)
from fashionmap.cli.app import build_app
from fashionmap.domain import keys
from fashionmap.domain.garment import Detection
from fashionmap.embedding.cutout import cut_out
from fashionmap.embedding.model import load_embedder
from fashionmap.errors import UsageError, WeightsRejected
from fashionmap.pipelining import in_order
from fashionmap.segmentation.model import load_segmenter
from fashionmap.segmentation.units import one_a_place, units_of
from tests.servers import free_port


@pytest.fixture(scope="module")
def photos(looks: Path) -> list[np.ndarray]:
    read = [cv2.imread(str(p)) for p in sorted((looks / "images").iterdir())[:3]]
    return [cv2.cvtColor(p, cv2.COLOR_BGR2RGB) for p in read]


def test_given_drawn_looks_when_segmented_then_garments_are_found_and_do_not_depend_on_company(
    photos: list[np.ndarray],
) -> None:
    segmenter = load_segmenter(device="cpu")
    together = segmenter.segment(photos)
    assert all(together)
    assert segmenter.segment(photos[1:2])[0] == together[1]
    for found in together:
        scores = [d.score for d in found]
        assert scores == sorted(scores, reverse=True)
        assert all(d.category in segmenter.categories for d in found)


def test_given_threads_that_share_models_when_at_work_then_each_photo_gives_the_same(
    photos: list[np.ndarray],
) -> None:
    before = torch.get_num_threads()
    try:
        use_threads(3, photos=True)
        segmenter, embedder = load_segmenter(device="cpu"), load_embedder(device="cpu")
        assert (segmenter.at_once, embedder.at_once) == (3, 3)

        def one(photo: np.ndarray) -> tuple[list[Detection], bytes]:
            found = segmenter.segment([photo])[0]
            return found, embedder.embed([cut_out(photo, d) for d in found]).tobytes()

        alone = [one(photo) for photo in photos]
        together = list(in_order(photos * 4, one, threads=3, most=6))
        assert together == alone * 4
    finally:
        use_threads(before)
    assert load_segmenter(device="cpu").at_once == 1


def test_given_a_reduced_photo_when_segmented_then_masks_are_of_the_full_size(
    photos: list[np.ndarray],
) -> None:
    segmenter = load_segmenter(device="cpu")
    half = cv2.resize(photos[0], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    height, width = photos[0].shape[:2]
    found = segmenter.segment([half], sizes=[(height, width)])[0]
    assert found
    assert {(d.mask.height, d.mask.width) for d in found} == {(height, width)}


@pytest.mark.parametrize("size", [(1, 1), (5, 400), (3000, 20), (40, 40)])
def test_given_an_odd_photo_when_segmented_then_there_is_an_answer(size: tuple[int, int]) -> None:
    photo = np.full((*size, 3), 128, np.uint8)
    assert isinstance(load_segmenter(device="cpu").segment([photo])[0], list)


@pytest.mark.parametrize("segmenter", ["garments-small", "garments-small+mirror"])
@pytest.mark.parametrize("colour", [(120, 130, 140), (0, 0, 0), (255, 255, 255), (190, 20, 30)])
def test_given_a_bare_wall_when_segmented_then_there_is_no_garment(
    segmenter: str, colour: tuple[int, int, int]
) -> None:
    photo = np.full((480, 640, 3), colour, np.uint8)
    photo[100:300, 200:400] = np.minimum(np.add(colour, 12), 255)  # a patch that is hardly there
    assert load_segmenter(segmenter, device="cpu").segment([photo]) == [[]]


def test_given_a_jacket_that_may_be_a_top_when_made_a_unit_then_it_is_one(
    photos: list[np.ndarray],
) -> None:
    found = load_segmenter(device="cpu").segment(photos[:1])[0]
    doubled = [found[0], *found]
    assert one_a_place(doubled) == one_a_place(found)
    units = units_of("f" * 64, found)
    assert units[-1].unit == "look"
    assert units[-1].detection.area >= max(u.detection.area for u in units[:-1])
    assert units_of("f" * 64, []) == ()


def test_given_cutouts_when_embedded_then_vectors_are_unit_and_each_its_own() -> None:
    random = np.random.default_rng(0)
    cutouts = [random.integers(0, 255, (h, 80, 4)).astype(np.uint8) for h in (30, 90, 200, 300)]
    embedder = load_embedder(device="cpu")
    together = embedder.embed(cutouts)
    assert together.shape == (4, embedder.dimensions)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([embedder.embed([c]) for c in cutouts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_given_torchvisions_weights_by_path_when_loaded_then_its_features_come(
    tmp_path: Path,
) -> None:
    model = models.mobilenet_v2(weights=None)
    path = tmp_path / "m.safetensors"
    digest = write_weights(path, model.state_dict(), {})
    embedder = load_embedder("mobilenet_v2", device="cpu", weights=path)
    assert embedder.dimensions == 1280
    assert embedder.stamp.sha256 == digest
    with pytest.raises(WeightsRejected, match="do not fit"):
        load_embedder("resnet50", device="cpu", weights=path)
    with pytest.raises(WeightsRejected, match="no segmenter"):
        load_segmenter(str(path), device="cpu")


@pytest.mark.parametrize("load", [load_segmenter, load_embedder])
def test_given_wrong_weights_when_loaded_then_one_sentence_says_why(load, tmp_path: Path) -> None:
    with pytest.raises(WeightsRejected, match="no weights at"):
        load(str(tmp_path / "none.safetensors"), device="cpu")
    (tmp_path / "bad.safetensors").write_bytes(b"rubbish rubbish")
    with pytest.raises(WeightsRejected, match="no safetensors file"):
        load(str(tmp_path / "bad.safetensors"), device="cpu")
    with pytest.raises(UsageError, match="There is no"):
        load("elephant", device="cpu")


def test_given_another_hash_when_read_then_weights_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    digest = write_weights(path, {"a": torch.ones(3)}, {"k": "v"})
    assert read_weights(path, sha256=digest).metadata == {"k": "v"}
    with pytest.raises(WeightsRejected, match="hash"):
        read_weights(path, sha256="0" * 64)


def test_given_a_server_when_downloading_then_weights_come_once_and_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    (tmp_path / "served").mkdir()
    torch.save({"a": torch.ones(2)}, tmp_path / "w.pth")
    data = (tmp_path / "w.pth").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    for name in (f"good-{digest[:8]}.pth", "bad-12345678.pth"):
        (tmp_path / "served" / name).write_bytes(data)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = partial(Quiet, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        got = download_weights(f"{address}/good-{digest[:8]}.pth")
        assert got.sha256 == digest
        assert torch.equal(got.tensors["a"], torch.ones(2))
        with pytest.raises(WeightsRejected, match="hash"):
            download_weights(f"{address}/bad-12345678.pth")
        server.shutdown()
    assert download_weights(f"{address}/good-{digest[:8]}.pth").sha256 == digest
    with pytest.raises(WeightsRejected, match="cannot be downloaded"):
        download_weights(f"http://127.0.0.1:{free_port()}/other-{digest[:8]}.pth")


def test_given_two_weights_of_one_model_when_averaged_then_each_number_lies_between(
    tmp_path: Path,
) -> None:
    one, two, out = (tmp_path / f"{name}.safetensors" for name in ("one", "two", "out"))
    write_weights(one, {"w": torch.tensor([0.0, 4.0])}, {"name": "m", "version": "1"})
    opinion = {"names.name.bias": torch.zeros(3)}
    write_weights(two, {"w": torch.tensor([1.0, 0.0]), **opinion}, {"name": "m", "version": "2"})
    arguments = ["model", "average", str(one), str(two), "--share", "0.25", "--out", str(out)]
    done = CliRunner().invoke(build_app(), [*arguments, "--version", "3"], catch_exceptions=False)
    assert done.exit_code == 0
    made = read_weights(out)
    assert {name: value.tolist() for name, value in made.tensors.items()} == {"w": [0.25, 3.0]}
    assert made.metadata["version"] == "3"


def test_given_weights_of_two_models_when_averaged_then_one_sentence_says_so(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    write_weights(one, {"w": torch.zeros(2)}, {})
    write_weights(two, {"w": torch.zeros(3)}, {})
    with pytest.raises(WeightsRejected, match="not of one model"):
        averaged(read_weights(one), read_weights(two), share=0.5)


def test_given_a_photo_and_its_mirror_image_when_both_ways_are_looked_at_then_answers_mirror(
    photos: list[np.ndarray],
) -> None:
    segmenter = load_segmenter("garments-small+mirror", device="cpu")
    assert segmenter.stamp.version.endswith("-mirror")
    assert keys.masks("c", "f" * 64, segmenter.stamp)
    assert segmenter.stamp.key != load_segmenter("garments-small", device="cpu").stamp.key
    assert segmenter.stamp == load_segmenter(device="cpu").stamp
    photo = photos[0]
    found = segmenter.segment([photo])[0]
    turned = segmenter.segment([np.ascontiguousarray(photo[:, ::-1])])[0]
    assert found
    assert [d.category for d in found] == [d.category for d in turned]
    for one, other in zip(found, turned, strict=True):
        x, y, width, height = other.bbox
        mirrored = (photo.shape[1] - x - width, y, width, height)
        assert one.bbox == pytest.approx(mirrored, abs=2)
        assert one.score == pytest.approx(other.score, abs=0.02)


def test_given_a_model_that_knows_no_mirror_when_asked_for_it_then_one_sentence_says_so() -> None:
    with pytest.raises(UsageError, match="coco-person"):
        load_segmenter("coco-person+mirror", device="cpu")
