"""Training and scoring of embedders on drawn garments, and DeepFashion2's pairs."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torchvision.models import mobilenet_v2
from typer.testing import CliRunner

from fashionmap.adapters.weights import read_weights, write_weights
from fashionmap.cli.app import build_app
from fashionmap.training.datasets.deepfashion2 import convert_deepfashion2
from fashionmap.training.embedder.evaluate import consumer_to_shop
from fashionmap.training.embedder.finetune import FinetunePlan, fine_tune
from fashionmap.training.embedder.items import Item, coco_items, folder_items
from fashionmap.training.embedder.measure import top_k_accuracy
from fashionmap.training.embedder.trainer import EmbedderPlan, initial_network, train_embedder
from tests.unit.test_datasets import item as deepfashion2_item

COLOURS = {"red": (200, 30, 40), "green": (30, 160, 60), "blue": (40, 60, 200)}
PLAN = EmbedderPlan(side=64, views=2, steps=4, batch=8, seed=3)


@pytest.fixture(scope="module")
def init(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MobileNetV2 that has learned nothing, under torchvision's names."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("init") / "m.safetensors"
    write_weights(path, mobilenet_v2(weights=None, num_classes=1001).state_dict(), {})
    return path


@pytest.fixture(scope="module")
def flats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of plain garments in folders by colour."""
    folder = tmp_path_factory.mktemp("flats")
    random = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir()
        for number in range(4):
            picture = np.full((90, 70, 3), 230, np.uint8)
            shade = np.clip(np.array(colour) + random.integers(-12, 12, 3), 0, 255)
            picture[15:75, 15:55] = shade[::-1]
            cv2.imwrite(str(folder / name / f"{number}.png"), picture)
    return folder


def mean_colour(cutouts: list[np.ndarray]) -> np.ndarray:
    rows = np.stack([c[..., :3].reshape(-1, 3).mean(axis=0) - 128 for c in cutouts])
    unit: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32)


def test_given_garments_when_trained_twice_then_the_weights_are_equal_and_embed(
    flats: Path, looks: Path, init: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    items = [*folder_items(flats), *coco_items(looks / "annotations.json", looks / "images")][:30]
    assert {i.label for i in items} >= {"flat red", "flat blue"}
    outs = [tmp_path / f"{n}.safetensors" for n in (1, 2)]
    digests = [train_embedder(PLAN, items, init=init, out=out, say=lambda _: None) for out in outs]
    assert digests[0] == digests[1]
    assert read_weights(outs[0]).metadata["architecture"] == "garments-embedder"


def test_given_fine_tuning_when_done_then_only_the_last_blocks_moved(
    flats: Path, init: Path
) -> None:
    network = initial_network(read_weights(init), 256)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    finetune = FinetunePlan(steps=3, batch=4, free_from=12)
    fine_tune(network, list(folder_items(flats)), PLAN, finetune, say=lambda _: None)
    moved = {k for k, v in network.state_dict().items() if not torch.equal(before[k], v)}
    assert moved
    assert all(int(name.split(".")[1]) >= 12 for name in moved)
    assert all(torch.isfinite(v).all() for v in network.state_dict().values())
    assert not network.training


def test_given_products_when_searched_then_top_k_counts_the_first_hit() -> None:
    angles = np.radians([0, 10, 25, 90])
    gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    queries = gallery[[0, 3]]
    found = top_k_accuracy(queries, ["b", "a"], gallery, ["a", "b", "b", "c"], counts=(1, 2, 4, 20))
    assert found == {1: 0.0, 2: 0.5, 4: 1.0, 20: 1.0}


def deepfashion2(folder: Path) -> Path:
    """Shops' and users' photos of three products, one of which no shop sells."""
    (folder / "annos").mkdir(parents=True)
    (folder / "image").mkdir()
    for number, (source, colour) in enumerate(
        [("shop", "red"), ("shop", "green"), ("user", "red"), ("user", "green"), ("user", "blue")],
        start=1,
    ):
        shade = np.clip(np.array(COLOURS[colour]) + 3 * number, 0, 255)
        picture = np.full((120, 100, 3), shade[::-1], np.uint8)
        cv2.imwrite(str(folder / "image" / f"{number:06d}.jpg"), picture)
        garment = deepfashion2_item(12, "vest dress", style=1)
        pair = list(COLOURS).index(colour)
        document = {"source": source, "pair_id": pair, "item1": garment}
        (folder / "annos" / f"{number:06d}.json").write_text(json.dumps(document))
    return folder


def test_given_deepfashion2_when_scored_then_users_garments_find_their_shops(
    tmp_path: Path,
) -> None:
    convert_deepfashion2(deepfashion2(tmp_path / "df2"), tmp_path / "out")
    items = list(coco_items(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images"))
    assert [(i.source, i.pair) for i in items][:2] == [("shop", "0-1"), ("shop", "1-1")]
    found = consumer_to_shop(items, mean_colour)  # type: ignore[arg-type]
    assert found == {f"consumer-to-shop top-{k}": 1.0 for k in (1, 5, 10, 20)}
    turned = [Item(i.label, i.pair, i.source, i.load) for i in items]
    turned[0] = Item("dress", "1-1", "shop", items[0].load)
    turned[1] = Item("dress", "0-1", "shop", items[1].load)
    assert consumer_to_shop(turned, mean_colour)["consumer-to-shop top-1"] == 0.0  # type: ignore[arg-type]
    assert consumer_to_shop(items[:2], mean_colour) == {}  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_given_the_commands_when_run_then_products_and_the_table_are_printed(
    flats: Path, init: Path, tmp_path: Path
) -> None:
    convert_deepfashion2(deepfashion2(tmp_path / "df2"), tmp_path / "pairs")
    out, pairs = tmp_path / "w.safetensors", str(tmp_path / "pairs")
    runner, app = CliRunner(), build_app()
    own = ["--init", str(init), "--out", str(out), "--folders", str(flats), "--data", pairs]
    more = ["--val", pairs, "--finetune", "2", "--batch", "2", "--device", "cpu", "--threads", "1"]
    done = runner.invoke(app, ["train-embedder", *own, *more], catch_exceptions=False)
    assert "consumer-to-shop top-20 1.000" in done.output
    asked = ["--known", str(flats), "--queries", str(flats), "--data", pairs]
    asked += ["--embedder", str(out), "--plain", str(init), "--device", "cpu", "--threads", "1"]
    done = runner.invoke(app, ["evaluate-embedder", *asked], catch_exceptions=False)
    for words in ("5-neighbour accuracy", "CIEDE2000", "other view among 29", "top-10"):
        assert done.output.count(words) == 2, done.output
    assert "plain ImageNet" in done.output
