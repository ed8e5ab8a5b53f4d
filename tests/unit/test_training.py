"""Training: order of an epoch, resuming to the same weights, precision, COCO AP."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from fashionmap.domain.taxonomy import MODANET_PERSON
from fashionmap.errors import DatasetRejected, UsageError, WeightsRejected
from fashionmap.segmentation.model import ARCHITECTURES, load_segmenter
from fashionmap.training.datasets.coco_form import read_coco
from fashionmap.training.evaluation import average_precision
from fashionmap.training.segmenter.batches import EpochOrder
from fashionmap.training.segmenter.plan import TrainingPlan, one_canvas
from fashionmap.training.segmenter.run_folder import RunFolder
from fashionmap.training.segmenter.samples import load_labelled
from fashionmap.training.segmenter.session import taxonomy_of
from fashionmap.training.segmenter.start import initial_weights, initialise
from fashionmap.training.segmenter.trainer import Trainer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
STATS = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR1", "AR10", "AR100")


def noisy_results(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Most of the truth, moved about, some of it doubled or under another name."""
    random = np.random.default_rng(0)
    results = []
    for annotation in [*truth["annotations"], *truth["annotations"][::3]]:
        if random.random() < 0.8:
            box = np.array(annotation["bbox"]) + random.normal(0, 4, 4)
            found = {k: annotation[k] for k in ("image_id", "category_id", "segmentation")}
            if random.random() < 0.1:
                found["category_id"] = int(random.integers(1, 14))
            score = float(random.random())
            results.append({**found, "bbox": np.maximum(box, 1).tolist(), "score": score})
    return results


@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_given_results_when_scored_then_all_figures_equal_pycocotools(
    kind: str, looks: Path
) -> None:
    truth = read_coco(looks / "annotations.json")
    for annotation in truth["annotations"][::7]:
        annotation["iscrowd"] = 1
    results = noisy_results(truth)
    with redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = json.loads(json.dumps(truth))
        coco.createIndex()
        reference = COCOeval(coco, coco.loadRes([dict(r) for r in results]), kind)
        reference.evaluate()
        reference.accumulate()
        reference.summarize()
    ours = average_precision(truth, results, kind=kind)
    for name, value in zip(STATS, reference.stats, strict=False):
        expected = value if value > -1 else float("nan")
        assert ours[name] == pytest.approx(expected, abs=1e-9, nan_ok=True), (kind, name)
    for k, category in enumerate(reference.params.catIds):
        precision = reference.eval["precision"][:, :, k, 0, -1]
        kept = precision[precision > -1]
        expected = kept.mean() if kept.size else float("nan")
        name = MODANET_PERSON.categories[category - 1]
        assert ours["categories"][name] == pytest.approx(expected, abs=1e-9, nan_ok=True), name


def test_given_no_results_when_scored_then_ap_is_zero(looks: Path) -> None:
    assert average_precision(read_coco(looks / "annotations.json"), [])["AP"] == 0.0


PLAN = TrainingPlan(
    epochs=2,
    batch=2,
    canvases=((1.0, 128, 96),),
    evaluate_every=100,
    warmup=2,
    seed=4,
    amp=False,
    checkpoint_every=1,
)


def trainer(looks: Path, folder: Path, plan: TrainingPlan = PLAN, photos: int = 5) -> Trainer:
    labelled = load_labelled(looks / "annotations.json", looks / "images", MODANET_PERSON)
    truth = read_coco(looks / "annotations.json")
    return Trainer(
        plan,
        train=labelled[:photos],
        val=({**truth, "images": truth["images"][:1]}, looks / "images"),
        taxonomy=MODANET_PERSON,
        folder=RunFolder(folder, {}),
        say=lambda _: None,
    )


def test_given_training_when_broken_off_in_an_epoch_and_resumed_then_weights_are_bit_equal(
    looks: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    plan = replace(PLAN, accumulate=2, checkpoint_every=2)
    trainer(looks, tmp_path / "one", plan, 9).run()
    for stop in (2, 5):
        broken = trainer(looks, tmp_path / "two", plan, 9)
        update = broken._update

        def die(*given: Any, update: Any = update, broken: Any = broken, stop: int = stop) -> None:
            if broken.step == stop:
                raise KeyboardInterrupt
            update(*given)

        broken._update = die  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            broken.run()
    assert broken.group > 0
    trainer(looks, tmp_path / "two", plan, 9).run()
    one, two = (tmp_path / n / "model.safetensors" for n in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    logs = [
        [json.loads(x) for x in (tmp_path / n / "log.jsonl").read_text().splitlines()]
        for n in ("one", "two")
    ]
    for lines in logs:
        for line in lines:
            line.pop("photos_per_second", None)
    assert logs[0] == logs[1]
    assert [line["epoch"] for line in logs[0] if "loss" in line] == [0, 1]
    assert any(line.get("AP") is not None for line in logs[0])
    for name in ("curves.png", "samples/epoch-0002.png", "best.safetensors"):
        assert (tmp_path / "one" / name).stat().st_size > 1000


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("photos", [1, 7, 24])
def test_given_an_epoch_when_ordered_then_each_photo_counts_once_and_updates_weigh_one(
    photos: int, accumulate: int, world: int
) -> None:
    order = EpochOrder(photos, 2, accumulate, world)
    seen: list[int] = []
    for group in range(order.groups):
        numbers = [n for rank in range(world) for n in order.members(group, rank)]
        assert len({len(order.members(group, rank)) for rank in range(world)}) == 1
        assert sum(order.weight(n, group) for n in numbers) == pytest.approx(1)
        seen += [i for n in numbers for i in order.indices(n)]
    assert set(seen) == set(range(photos))
    if world == 1:
        assert sorted(seen) == list(range(photos))


def test_given_a_last_group_of_one_batch_when_accumulating_then_it_equals_its_own_update(
    looks: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    plans = [replace(PLAN, epochs=1, accumulate=a) for a in (1, 64)]
    states = []
    for plan in plans:
        one = trainer(looks, tmp_path / str(plan.accumulate), plan, photos=1)
        one.samples.factors = [1.0]
        one.run()
        assert one.step == 1
        states.append(one.network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_given_mixed_precision_when_trained_then_weights_move_and_stay_finite(
    precision: str, looks: Path, tmp_path: Path
) -> None:
    plan = replace(PLAN, epochs=1, amp=True, precision=precision)
    one = trainer(looks, tmp_path, plan, photos=2)
    before = {k: v.clone() for k, v in one.network.state_dict().items()}
    one.run()
    after = one.network.state_dict()
    assert one.network.backbone.precision is plan.dtype()  # type: ignore[union-attr]
    assert all(torch.isfinite(v).all() for v in after.values())
    assert sum(not torch.equal(before[k], after[k]) for k in before) > 100
    assert one.scaler.is_enabled() == (precision == "fp16")


def test_given_a_loss_that_is_no_number_when_updating_then_weights_stay(
    looks: Path, tmp_path: Path
) -> None:
    one = trainer(looks, tmp_path, replace(PLAN, epochs=1), photos=2)
    before = {k: v.clone() for k, v in one.network.state_dict().items()}
    real = one.network.forward
    one.network.forward = lambda *given: {  # type: ignore[method-assign]
        k: v * float("nan") for k, v in real(*given).items()
    }
    one.run()
    assert one.skipped == one.step > 0
    after = one.network.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_given_another_plan_when_resumed_then_one_sentence_says_what_differs() -> None:
    begun = {"lr": 6e-4, "batch": 4, "workers": 0, "canvases": [[1.0, 128, 96]]}
    plan = replace(PLAN, lr=6e-4, batch=4, workers=3)
    plan.check_resumable(begun)
    with pytest.raises(UsageError, match=r"begun with batch 4, not 8"):
        replace(plan, batch=8).check_resumable(begun)
    with pytest.raises(UsageError, match="begun with canvases"):
        replace(plan, canvases=one_canvas("64x64")).check_resumable(begun)
    with pytest.raises(UsageError, match="no size"):
        one_canvas("100x100")


def test_given_a_data_sets_own_categories_when_trained_then_the_weights_know_them(
    looks: Path, tmp_path: Path
) -> None:
    document = read_coco(looks / "annotations.json")
    for category in document["categories"]:
        category["name"] = f"kind {category['id']}"
    (tmp_path / "annotations.json").write_text(json.dumps(document))
    taxonomy = taxonomy_of("data", tmp_path)
    assert taxonomy_of("data", looks) == MODANET_PERSON
    with pytest.raises(UsageError, match="no taxonomy"):
        taxonomy_of("elephants", looks)
    with pytest.raises(DatasetRejected, match="not in the taxonomy"):
        load_labelled(tmp_path / "annotations.json", looks / "images", MODANET_PERSON)
    one = Trainer(
        PLAN,
        train=load_labelled(tmp_path / "annotations.json", looks / "images", taxonomy),
        val=(document, looks / "images"),
        taxonomy=taxonomy,
        folder=RunFolder(tmp_path / "run", {}),
        say=lambda _: None,
    )
    one._export("model")
    loaded = load_segmenter(str(tmp_path / "run" / "model.safetensors"), device="cpu")
    assert loaded.categories[:2] == ("kind 1", "kind 2")


def test_given_torchvisions_coco_weights_by_file_when_training_starts_then_all_but_heads_fit(
    tmp_path: Path,
) -> None:
    import hashlib

    source = ARCHITECTURES["resnet50_fpn_v2"](90)
    torch.save(source.state_dict(), tmp_path / "w.pth")
    digest = hashlib.sha256((tmp_path / "w.pth").read_bytes()).hexdigest()
    named = (tmp_path / "w.pth").rename(tmp_path / f"maskrcnn-{digest[:8]}.pth")
    network = ARCHITECTURES["resnet50_fpn_v2"](14)
    fitted = initialise(network, initial_weights(str(named), "resnet50_fpn_v2"))
    heads = ("roi_heads.box_predictor", "mask_fcn_logits")
    assert fitted == sum(not any(h in name for h in heads) for name in network.state_dict())
    wrong = named.rename(tmp_path / "maskrcnn-00000000.pth")
    with pytest.raises(WeightsRejected, match="does not fit the hash"):
        initial_weights(str(wrong), "resnet50_fpn_v2")
    with pytest.raises(WeightsRejected, match="no hash in its name"):
        initial_weights(str(wrong.rename(tmp_path / "w.pth")), "resnet50_fpn_v2")
    with pytest.raises(UsageError, match="COCO weights are for"):
        initial_weights("coco", "garments-small")


def test_given_the_large_model_when_trained_then_norms_of_its_body_keep_their_statistics(
    looks: Path, tmp_path: Path
) -> None:
    plan = replace(PLAN, model="resnet50_fpn_v2", epochs=1)
    one = trainer(looks, tmp_path, plan, photos=2)
    name = "backbone.body.layer1.0.bn1.running_mean"
    before = one.network.state_dict()[name].clone()
    one.samples.start_epoch(0, (128, 96))
    one._train_mode()
    images, targets = zip(*[one.samples[i] for i in range(2)], strict=True)
    order = EpochOrder(2, 2, 1)
    one._update([(0, list(images), list(targets))], order)
    assert torch.equal(one.network.state_dict()[name], before)
    assert one.step == 1
    assert one.skipped == 0
