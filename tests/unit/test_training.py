"""Training: averages, resuming to the same weights, and COCO AP equal to pycocotools'."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from fashionmap.domain.taxonomy import MODANET_PERSON
from fashionmap.training.datasets.coco_form import read_coco
from fashionmap.training.evaluation import average_precision
from fashionmap.training.segmenter.run_folder import RunFolder
from fashionmap.training.segmenter.samples import load_labelled
from fashionmap.training.segmenter.trainer import Trainer, TrainingPlan

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_given_results_when_scored_then_ap_equals_pycocotools(looks: Path) -> None:
    truth = read_coco(looks / "annotations.json")
    random = np.random.default_rng(0)
    results = []
    for annotation in truth["annotations"]:
        if random.random() < 0.8:
            box = np.array(annotation["bbox"]) + random.normal(0, 4, 4)
            results.append(
                {
                    **{k: annotation[k] for k in ("image_id", "category_id", "segmentation")},
                    "bbox": np.maximum(box, 1).tolist(),
                    "score": float(random.random()),
                }
            )
    for kind in ("segm", "bbox"):
        with redirect_stdout(io.StringIO()):
            coco = COCO(looks / "annotations.json")
            reference = COCOeval(coco, coco.loadRes([dict(r) for r in results]), kind)
            reference.evaluate()
            reference.accumulate()
            reference.summarize()
        ours = average_precision(truth, results, kind=kind)
        names = ("AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR1", "AR10", "AR100")
        for name, value in zip(names, reference.stats, strict=False):
            expected = value if value > -1 else float("nan")
            assert ours[name] == pytest.approx(expected, abs=1e-9, nan_ok=True), (kind, name)


def trainer(looks: Path, folder: Path, epochs: int) -> Trainer:
    plan = TrainingPlan(
        epochs=epochs,
        batch=2,
        canvases=((1.0, 128, 96),),
        evaluate_every=100,
        warmup=2,
        seed=4,
        amp=False,
    )
    photos = load_labelled(looks / "annotations.json", looks / "images", MODANET_PERSON)[:4]
    truth = read_coco(looks / "annotations.json")
    truth = {**truth, "images": truth["images"][:1]}
    return Trainer(
        plan,
        train=photos,
        val=(truth, looks / "images"),
        taxonomy=MODANET_PERSON,
        folder=RunFolder(folder, {}),
        say=lambda _: None,
    )


def test_given_training_when_killed_and_resumed_then_weights_are_bit_equal(
    looks: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    unbroken = trainer(looks, tmp_path / "one", 3)
    unbroken.run()
    broken = trainer(looks, tmp_path / "two", 3)
    save = broken._checkpoint

    def die() -> None:
        save()
        if broken.epoch == 1:
            raise KeyboardInterrupt

    broken._checkpoint = die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        broken.run()
    resumed = trainer(looks, tmp_path / "two", 3)
    resumed.run()
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    one, two = (tmp_path / n / "model.safetensors" for n in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    lines = [json.loads(x) for x in (tmp_path / "one" / "log.jsonl").read_text().splitlines()]
    assert any("AP" in line for line in lines)
    assert (tmp_path / "one" / "curves.png").stat().st_size > 1000
