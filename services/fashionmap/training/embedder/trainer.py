"""Metric learning of the embedder's projection over the ImageNet features.

The convolutions stay as ImageNet left them: on a laptop the features of all views are computed
once, and the projection learns from them in a minute.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fashionmap.adapters.folded import fold_mobilenet
from fashionmap.adapters.weights import Weights, load_fitting, read_weights, write_weights
from fashionmap.embedding.model import on_neutral_square
from fashionmap.embedding.network import COLOURS, FEATURES, GarmentEmbedderNetwork
from fashionmap.training.embedder.items import Item, view


@dataclass(frozen=True)
class EmbedderPlan:
    """Everything that decides a run.

    Attributes:
        dimensions: Length of a vector.
        side: Pictures are embedded at so many pixels a side.
        views: Views a garment; the first is the garment as it is.
        steps: Updates of the projection.
        batch: Garments a step, two views each.
        lr: Learning rate of AdamW.
        temperature: Of the contrastive loss.
        kin: Weight of pairs of one category against views of one garment.
        drop: Share of features dropped in training.
        colour: Weight of the colour histogram beside the learned part, whose weight is 1.
        seed: Of views, batches and initial weights.
        version: Version to stamp the weights with.
    """

    dimensions: int = 256
    side: int = 160
    views: int = 4
    steps: int = 1500
    batch: int = 512
    lr: float = 1e-3
    temperature: float = 0.1
    kin: float = 1.0
    drop: float = 0.3
    colour: float = 0.4
    seed: int = 0
    version: str = "0.1.0"


def train_embedder(
    plan: EmbedderPlan,
    items: Sequence[Item],
    *,
    init: Path,
    out: Path,
    say: Callable[[str], None] = print,
    prepare: Callable[[GarmentEmbedderNetwork], object] = lambda _: None,
    device: str = "cpu",
) -> str:
    """Trains on garments and writes the weights; returns their SHA-256.

    Args:
        plan: What to do.
        items: At least two garments.
        init: ImageNet weights of torchvision's MobileNetV2 as safetensors, or the trainer's own.
        out: File to write.
        say: Is told how it goes.
        prepare: Is given the network before features are computed, as to fine-tune it.
        device: Where features are computed: ``cpu`` or ``cuda``.
    """
    torch.manual_seed(plan.seed)
    network = initial_network(read_weights(init), plan.dimensions).to(device)
    prepare(network)
    features = view_features(network, items, plan, say=say)
    network = network.cpu()
    fit_projection(network, features, [i.label for i in items], [i.pair for i in items], plan, say)
    metadata = {
        "architecture": "garments-embedder",
        "dimensions": str(plan.dimensions),
        "side": str(plan.side),
        "version": plan.version,
        "plan": str(asdict(plan)),
    }
    return write_weights(out, network.state_dict(), metadata)


def initial_network(weights: Weights, dimensions: int) -> GarmentEmbedderNetwork:
    """The network with ImageNet's convolutions, or with those of an earlier run."""
    tensors = weights.tensors
    if "classifier.1.bias" in tensors:
        tensors = fold_mobilenet(tensors)
    network = GarmentEmbedderNetwork(dimensions).eval()
    load_fitting(network, tensors)
    return network


def view_features(
    network: GarmentEmbedderNetwork,
    items: Sequence[Item],
    plan: EmbedderPlan,
    *,
    say: Callable[[str], None] = print,
) -> NDArray[np.float32]:
    """Features float32 (views, n, f) of all garments in several views."""
    random = np.random.default_rng(plan.seed)
    found = []
    for number in range(plan.views):
        rows = []
        for first in range(0, len(items), 32):
            cutouts = [i.cutout for i in items[first : first + 32]]
            seen = cutouts if number == 0 else [view(c, random) for c in cutouts]
            rows.append(raw_features(network, seen, plan.side))
        found.append(np.concatenate(rows))
        say(f"view {number + 1} of {plan.views}: {len(items):,} garments")
    return np.stack(found)


def raw_features(
    network: GarmentEmbedderNetwork, cutouts: Sequence[NDArray[np.uint8]], side: int
) -> NDArray[np.float32]:
    """Features before standardising, float32 (n, f)."""
    batch = np.stack([on_neutral_square(c, side) for c in cutouts])
    with torch.inference_mode():
        pictures = torch.from_numpy(batch).permute(0, 3, 1, 2).sub(0.5).div(0.5)
        place = next(network.parameters()).device
        pictures = pictures.to(place).contiguous(memory_format=torch.channels_last)
        result: NDArray[np.float32] = network.features(pictures).cpu().numpy()
    return result


def fit_projection(
    network: GarmentEmbedderNetwork,
    features: NDArray[np.float32],
    labels: Sequence[str],
    pairs: Sequence[str],
    plan: EmbedderPlan,
    say: Callable[[str], None] = print,
) -> None:
    """Learns the projection by supervised contrast (Khosla et al. 2020, arXiv 2004.11362).

    Two views of a garment, or of a pair, attract with weight 1; garments of one category with
    ``kin``, shared among all of them in the batch.
    """
    views = torch.from_numpy(features)
    flat = views.flatten(0, 1)
    network.set_scale(flat.mean(0), flat.std(0).clamp(min=1e-3))
    views = network.standardise(views)
    kinds, products = kind_numbers(labels), products_of(pairs)
    learned = nn.Linear(FEATURES, plan.dimensions - COLOURS)
    optimizer = torch.optim.AdamW(learned.parameters(), lr=plan.lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.lr, total_steps=plan.steps)
    random = np.random.default_rng(plan.seed)
    for step in range(plan.steps):
        chosen = torch.from_numpy(random.permutation(len(labels))[: plan.batch])
        which = torch.from_numpy(
            np.argsort(random.random((len(chosen), len(views))), axis=1)[:, :2]
        )
        two = torch.cat([views[which[:, i], chosen] for i in (0, 1)])
        vectors = learned(functional.dropout(two, plan.drop))
        loss = contrast(vectors, products[chosen].repeat(2), kinds[chosen].repeat(2), plan)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if (step + 1) % 250 == 0:
            say(f"step {step + 1}: loss {float(loss.detach()):.3f}")
    assemble(network, learned, views[0], colour=plan.colour)


def assemble(
    network: GarmentEmbedderNetwork, learned: nn.Linear, features: Tensor, *, colour: float
) -> None:
    """Puts the learned projection and the plain colour histogram side by side.

    Both parts are scaled to mean length 1 over the standardised ``features`` (n, f); then the
    histogram's by ``colour``.
    """
    with torch.no_grad():
        histogram = features[:, -COLOURS:] * network.spread[-COLOURS:]
        mean_length = learned(features).norm(dim=1).mean()
        weight = torch.zeros(COLOURS, FEATURES)
        weight[:, -COLOURS:] = torch.diag(network.spread[-COLOURS:])
        weight *= colour / histogram.norm(dim=1).mean()
        network.project.weight.copy_(torch.cat([learned.weight / mean_length, weight]))
        network.project.bias.copy_(torch.cat([learned.bias / mean_length, torch.zeros(COLOURS)]))


def contrast(vectors: Tensor, products: Tensor, kinds: Tensor, plan: EmbedderPlan) -> Tensor:
    """The weighted supervised contrastive loss of a batch, float ()."""
    unit = functional.normalize(vectors, dim=1)
    logits = unit @ unit.T / plan.temperature
    own = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    log_p = logits.masked_fill(own, -1e9).log_softmax(dim=1)
    same = ((products[:, None] == products[None]) & ~own).float()
    kin = ((kinds[:, None] == kinds[None]) & ~own).float() * (1 - same)
    kin = kin / kin.sum(1, keepdim=True).clamp(min=1)
    weights = same / same.sum(1, keepdim=True).clamp(min=1) + plan.kin * kin
    return -(weights * log_p).sum(1).mean() / (1 + plan.kin)


def kind_numbers(names: Sequence[str]) -> Tensor:
    """A number a category, int64 (n,)."""
    order = {name: i for i, name in enumerate(sorted(set(names)))}
    return torch.tensor([order[name] for name in names])


def products_of(pairs: Sequence[str]) -> Tensor:
    """A number a product; garments without a pair are products of their own."""
    seen: dict[str, int] = {}
    return torch.tensor([seen.setdefault(p, i) if p else i for i, p in enumerate(pairs)])
