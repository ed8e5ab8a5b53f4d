"""Our segmenter against torchvision's defaults around the same weights: photos a second, mask AP.

Theirs runs before and after ours, and the mean counts. Photos and truth are drawn looks, or CCP's
where FASHIONMAP_BENCH_COCO names a COCO file of it (pictures in ``images/`` beside it);
FASHIONMAP_BENCH_WEIGHTS names other weights than the shipped.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch
from pycocotools import mask as coco_mask
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from benchmarks.clock import work_seconds
from fashionmap.adapters.threads import use_threads
from fashionmap.adapters.weights import read_weights, shipped_weights
from fashionmap.domain.garment import Detection
from fashionmap.domain.taxonomy import MODANET, MODANET_PERSON
from fashionmap.pipelining import in_order
from fashionmap.sample.dataset import write_looks
from fashionmap.segmentation.model import MIRROR, load_segmenter
from fashionmap.segmentation.names import split_names
from fashionmap.segmentation.network import GarmentMaskRCNN
from fashionmap.segmentation.roi_align import pooled_by_level
from fashionmap.training.evaluation import average_precision, results_of

IDS = {name: i for i, name in enumerate(MODANET.categories, start=1)}


def run() -> None:
    """Prints both and the ratio, on the CPU and, where there is one, on the GPU."""
    with tempfile.TemporaryDirectory() as folder:
        truth, photos = _data(Path(folder))
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        _compare(truth, photos, device)


def _compare(truth: dict[str, Any], photos: list[np.ndarray], device: str) -> None:
    weights = os.environ.get("FASHIONMAP_BENCH_WEIGHTS", "garments-small")
    plain = weights.removesuffix(MIRROR)
    before = _theirs(truth, photos, plain, device)
    ours = {name: _ours(truth, photos, name, device) for name in (plain, plain + MIRROR)}
    after = _theirs(truth, photos, plain, device)
    slow = [(b + a) / 2 for b, a in zip(before, after, strict=True)]
    for name, fast in ours.items():
        print(
            f"  {device}  {name}: {slow[0] / fast[0]:.1f} times as fast by the clock, "
            f"{slow[1] / fast[1]:.1f} by processor time; AP {fast[2] - slow[2]:+.4f}"
        )


def _ours(
    truth: dict[str, Any], photos: list[np.ndarray], weights: str, device: str
) -> tuple[float, float, float]:
    use_threads(0, photos=True)
    ours = load_segmenter(weights, threshold=0.05, device=device)
    ours.segment([photos[0]])

    def all_photos() -> list[list[Detection]]:
        threads = ours.at_once
        return list(
            in_order(photos, lambda p: ours.segment([p])[0], threads=threads, most=2 * threads)
        )

    clock, cpu, found = work_seconds(all_photos)
    pairs = zip(truth["images"], found, strict=True)
    ap = _score(truth, [r for i, d in pairs for r in results_of(i["id"], d, IDS)])
    return _told(weights, device, len(photos), (clock, cpu, ap))


def _theirs(
    truth: dict[str, Any], photos: list[np.ndarray], weights: str, device: str
) -> tuple[float, float, float]:
    use_threads(0)
    network = _default_network(weights).to(device)
    _torchvision(network, photos[0])
    with patch("fashionmap.segmentation.roi_align.pooled", pooled_by_level):  # torchvision's kernel
        clock, cpu, outputs = work_seconds(lambda: [_torchvision(network, p) for p in photos])
    pairs = zip(truth["images"], outputs, strict=True)
    ap = _score(truth, [r for i, o in pairs for r in _results(i["id"], o)])
    return _told("torchvision", device, len(photos), (clock, cpu, ap))


def _told(
    name: str, device: str, count: int, measured: tuple[float, float, float]
) -> tuple[float, float, float]:
    clock, cpu, ap = measured
    print(
        f"  {device}  {name:<22} {count / clock:6.2f} photos/s   "
        f"{1000 * cpu / count:6.0f} ms of processor time a photo   mask AP {ap:.4f}"
    )
    return measured


def _data(folder: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    path = os.environ.get("FASHIONMAP_BENCH_COCO")
    if path is None:
        write_looks(folder, count=24, seed=123)
        path = str(folder / "annotations.json")
    truth = json.loads(Path(path).read_text("utf-8"))
    keep = set(IDS.values())
    truth["categories"] = [c for c in truth["categories"] if c["id"] in keep]
    truth["annotations"] = [a for a in truth["annotations"] if a["category_id"] in keep]
    images = Path(path).parent / "images"
    read = [cv2.imread(str(images / i["file_name"])) for i in truth["images"]]
    return truth, [cv2.cvtColor(p, cv2.COLOR_BGR2RGB) for p in read]


def _default_network(weights: str) -> GarmentMaskRCNN:
    """The same weights with torchvision's settings: 1,000 proposals, 100 detections, its paste."""
    network = GarmentMaskRCNN(
        len(MODANET_PERSON.categories),
        rpn_pre_nms_top_n_test=1000,
        rpn_post_nms_top_n_test=1000,
        box_detections_per_img=100,
        box_score_thresh=0.05,
    )
    shipped = weights == "garments-small"
    read = shipped_weights(weights) if shipped else read_weights(Path(weights))
    network.load_state_dict(split_names(read.tensors)[0])
    network.roi_heads.__class__ = RoIHeads
    network.rpn.__class__ = RegionProposalNetwork
    ours = network.transform
    network.transform = GeneralizedRCNNTransform(
        ours.min_size, ours.max_size, ours.image_mean, ours.image_std
    )
    return network.eval()


def _torchvision(network: GarmentMaskRCNN, photo: np.ndarray) -> list[dict[str, Any]]:
    with torch.inference_mode():
        place = next(network.parameters()).device
        image = torch.from_numpy(photo).to(place).permute(2, 0, 1).float() / 255
        found = {name: value.cpu() for name, value in network([image])[0].items()}
    results = []
    for label, score, mask in zip(found["labels"], found["scores"], found["masks"], strict=True):
        if int(label) in IDS.values():
            binary = np.asfortranarray((mask[0] >= 0.5).numpy().astype(np.uint8))
            rle = coco_mask.encode(binary)
            results.append({"category_id": int(label), "score": float(score), "segmentation": rle})
    return results


def _results(image_id: int, outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **o,
            "image_id": image_id,
            "bbox": [float(v) for v in coco_mask.toBbox(o["segmentation"])],
            "segmentation": {**o["segmentation"], "counts": o["segmentation"]["counts"].decode()},
        }
        for o in outputs
    ]


def _score(truth: dict[str, Any], results: list[dict[str, Any]]) -> float:
    return float(average_precision(truth, results)["AP"])
