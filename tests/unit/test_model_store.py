"""Versions of models: pushed whole, pulled checked, followed between batches."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.model_store import (
    ModelRecord,
    ModelStore,
    is_reference,
    version_order,
)
from fashionmap.adapters.weights import write_weights
from fashionmap.domain import keys
from fashionmap.domain.taxonomy import MODANET_PERSON
from fashionmap.entrypoints.model_shelf import push_model
from fashionmap.entrypoints.models import (
    FollowingSegmenter,
    current,
    open_embedder,
    open_segmenter,
    refresh,
)
from fashionmap.errors import BlobNotFound, UsageError, WeightsRejected
from fashionmap.segmentation.model import ARCHITECTURES, load_segmenter, segmenter_of
from fashionmap.settings import Settings


def weights_file(path: Path, *, version: str, seed: int = 0) -> Path:
    """A small segmenter that has learned nothing."""
    torch.manual_seed(seed)
    network = ARCHITECTURES["garments-small"](len(MODANET_PERSON.categories))
    metadata = {
        "architecture": "garments-small",
        "name": "garments-small",
        "taxonomy": MODANET_PERSON.name,
        "version": version,
        "data": json.dumps(["drawn looks (CC0)"]),
    }
    write_weights(path, network.state_dict(), metadata)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("weights")
    one = weights_file(folder / "one.safetensors", version="0.1.0")
    return one, weights_file(folder / "two.safetensors", version="0.2.0", seed=1)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(FilesystemBlobStore(tmp_path / "store"), tmp_path / "cache")


def test_given_versions_when_pushed_then_they_are_listed_shown_and_never_change(
    store: ModelStore, files: tuple[Path, Path], tmp_path: Path
) -> None:
    record, new = push_model(store, files[0], licence="Apache-2.0")
    assert new
    assert (record.name, record.version, record.kind) == ("garments-small", "0.1.0", "segmenter")
    assert record.data == ("drawn looks (CC0)",)
    assert push_model(store, files[0])[1] is False
    push_model(store, files[1], version="0.10.0")
    push_model(store, files[1], version="0.9.0")
    assert [r.version for r in store.records()] == ["0.1.0", "0.9.0", "0.10.0"]
    assert store.resolve("garments-small@latest") == ("garments-small", "0.10.0")
    assert "Apache-2.0" in store.card("garments-small", "0.1.0")
    with pytest.raises(UsageError, match="versions never change"):
        push_model(store, files[1], version="0.1.0")
    with pytest.raises(UsageError, match="names the highest version"):
        push_model(store, files[1], version="latest")
    with pytest.raises(UsageError, match="named by 1 to 100"):
        push_model(store, files[1], version="../../evil")
    with pytest.raises(BlobNotFound, match=r"no model garments-small@7\.0"):
        store.weights("garments-small@7.0")
    with pytest.raises(BlobNotFound, match="no version"):
        store.resolve("elephant@latest")


def test_given_a_runs_folder_when_pushed_then_its_best_weights_and_figures_go_along(
    store: ModelStore, files: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "best.safetensors").write_bytes(files[0].read_bytes())
    lines: list[dict[str, Any]] = [{"epoch": 0, "loss": 2.0}]
    lines += [{"epoch": e, "AP": ap, "box": {"AP": ap / 2}} for e, ap in ((1, 0.2), (2, 0.4))]
    text = "".join(json.dumps(line) + "\n" for line in [*lines, {"epoch": 3, "AP": 0.3, "box": {}}])
    (tmp_path / "log.jsonl").write_text(text)
    record, _ = push_model(store, tmp_path)
    assert record.metrics["val"]["epoch"] == 2
    assert record.metrics["val"]["mask"]["AP"] == 0.4
    assert record.metrics["val"]["box"]["AP"] == 0.2


def test_given_a_damaged_cache_or_store_when_pulled_then_the_hash_tells(
    store: ModelStore, files: tuple[Path, Path], tmp_path: Path
) -> None:
    record, _ = push_model(store, files[0])
    got = store.weights("garments-small@0.1.0")
    assert got.sha256 == record.sha256
    cached = got.path
    cached.write_bytes(b"rubbish")
    assert store.weights("garments-small@0.1.0").sha256 == record.sha256
    cached.write_bytes(b"rubbish")
    blobs = FilesystemBlobStore(tmp_path / "store")
    blobs.put(keys.model("garments-small", "0.1.0") + "weights.safetensors", b"evil")
    with pytest.raises(WeightsRejected, match="not the expected"):
        store.weights("garments-small@0.1.0")


def test_given_a_version_that_is_not_whole_when_listed_then_it_is_not_there(
    store: ModelStore, files: tuple[Path, Path], tmp_path: Path
) -> None:
    push_model(store, files[0])
    blobs = FilesystemBlobStore(tmp_path / "store")
    blobs.put(keys.model("garments-small", "9.0") + "weights.safetensors", b"half")
    assert [r.version for r in store.records()] == ["0.1.0"]
    assert store.resolve("garments-small@latest")[1] == "0.1.0"


def test_given_a_version_from_the_store_when_opened_then_masks_carry_its_stamp(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    settings = Settings(
        model_store=str(tmp_path / "store"), model_cache=str(tmp_path / "cache"), model_watch=0
    )
    shelf = ModelStore(FilesystemBlobStore(tmp_path / "store"), tmp_path / "cache")
    first, _ = push_model(shelf, files[0], version="1.0")
    fixed = open_segmenter("garments-small@1.0", device="cpu", settings=settings)
    assert (fixed.stamp.version, fixed.stamp.sha256) == ("1.0", first.sha256)
    following = open_segmenter("garments-small@latest", device="cpu", settings=settings)
    second, _ = push_model(shelf, files[1], version="2.0")
    assert following.stamp.version == "1.0"
    begun = refresh(fixed), current(following)
    newer = refresh(following)
    assert (newer.stamp.version, newer.stamp.sha256) == ("2.0", second.sha256)
    assert [model.stamp.version for model in begun] == ["1.0", "1.0"]  # batches keep their model
    assert (following.stamp.version, following.stamp.sha256) == ("2.0", second.sha256)
    assert following.categories == fixed.categories
    assert following.segment([np.zeros((64, 64, 3), np.uint8)]) == [[]]
    refresh(fixed)
    assert fixed.stamp.version == "1.0"
    with pytest.raises(WeightsRejected, match="holds no embedder"):
        open_embedder("garments-small@latest", device="cpu", settings=settings)


def test_given_a_newer_version_that_cannot_be_loaded_when_refreshed_then_the_old_one_works_on(
    store: ModelStore, files: tuple[Path, Path], tmp_path: Path
) -> None:
    push_model(store, files[0])
    loads: list[str] = []

    def load(reference: str) -> Any:
        loads.append(reference)
        return segmenter_of(store.weights(reference), device="cpu", threshold=0.5)

    following = FollowingSegmenter("garments-small", load, store, every=0.0)
    bad = ModelRecord("garments-small", "0.3.0", "segmenter", "garments-small", "0" * 64, 4)
    store.push(bad, b"evil", "card")
    for _ in range(3):
        following.refresh()
    assert following.stamp.version == "0.1.0"
    assert loads == ["garments-small@0.1.0", "garments-small@0.3.0"]
    push_model(store, files[1], version="0.4.0")
    following.refresh()
    assert following.stamp.version == "0.4.0"


def test_given_names_when_asked_then_references_are_told_from_files() -> None:
    assert is_reference("garments-small@0.2.0")
    assert is_reference("garments-small@latest")
    for name in ("garments-small", "dir/a@b.safetensors", "coco-person=a@b/c.pth", "a@"):
        assert not is_reference(name), name
    order = ["0.2.0-rc1", "0.2.0", "0.9.1", "0.10.0", "1.0"]
    assert sorted(order, key=version_order) == order


def test_given_no_store_of_that_model_when_shipped_is_named_then_it_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHIONMAP_MODEL_STORE", str(tmp_path))
    with pytest.raises(BlobNotFound):
        open_segmenter("garments-small@latest", device="cpu")
    with pytest.raises(UsageError, match="There is no segmenter"):
        open_segmenter("elephant", device="cpu")
    assert replace(load_segmenter(device="cpu").stamp, version="").name == "garments-small"
