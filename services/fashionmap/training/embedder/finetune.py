"""Fine-tuning of the embedder's convolutions, before its projection is learned.

The frozen ImageNet features know dogs better than necklines. The last blocks learn here from
pairs of views and from category labels; the features are then computed anew and the projection is
learned from them as without.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from fashionmap.embedding.model import on_neutral_square
from fashionmap.embedding.network import COLOURS, FEATURES, GarmentEmbedderNetwork
from fashionmap.training.embedder.items import Item, view
from fashionmap.training.embedder.trainer import EmbedderPlan, contrast, kind_numbers, products_of


@dataclass(frozen=True)
class FinetunePlan:
    """How far the convolutions move.

    Attributes:
        steps: Updates.
        batch: Garments a step, two views each.
        lr: Peak learning rate of the convolutions; the heads take ten times it.
        free_from: First block that learns; those before stay as ImageNet left them.
        naming: Weight of telling the category against that of the contrast.
        decay: Decay of the moving average that is kept.
        workers: Processes that read garments.
    """

    steps: int = 1500
    batch: int = 48
    lr: float = 2e-4
    free_from: int = 7
    naming: float = 1.0
    decay: float = 0.995
    workers: int = 0


def fine_tune(
    network: GarmentEmbedderNetwork,
    items: Sequence[Item],
    plan: EmbedderPlan,
    finetune: FinetunePlan,
    *,
    say: Callable[[str], None] = print,
) -> None:
    """Trains the last blocks in place; the network ends with the average of its weights.

    Args:
        network: On its device.
        items: Garments.
        plan: Side, temperature, kin and seed.
        finetune: How.
        say: Is told how it goes.
    """
    torch.manual_seed(plan.seed)
    device = next(network.parameters()).device
    kinds, products = kind_numbers([i.label for i in items]), products_of([i.pair for i in items])
    heads = _Heads(int(kinds.max()) + 1).to(device)
    free = [p for block in network.blocks[finetune.free_from :] for p in block.parameters()]
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    for parameter in free:
        parameter.requires_grad_(True)
    groups: list[dict[str, Any]] = [
        {"params": free, "scale": 1.0},
        {"params": list(heads.parameters()), "scale": 10.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=finetune.lr, weight_decay=0.02)
    average = [p.detach().clone() for p in free]
    network.train()
    for step, (pictures, chosen) in enumerate(_batches(items, plan, finetune)):
        for group in optimizer.param_groups:
            group["lr"] = _rate(step, finetune) * group["scale"]
        features = network.features(pictures.to(device))
        loss = heads(
            features, products[chosen].to(device), kinds[chosen].to(device), plan, finetune
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(free, 5.0)
        optimizer.step()
        decay = min(finetune.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, parameter in zip(average, free, strict=True):
                mean.lerp_(parameter, 1 - decay)
        if (step + 1) % 50 == 0:
            say(
                f"fine-tuning, step {step + 1} of {finetune.steps}: loss {float(loss.detach()):.3f}"
            )
    with torch.no_grad():
        for mean, parameter in zip(average, free, strict=True):
            parameter.copy_(mean)
    network.eval()


class _Heads(nn.Module):
    """What the features must serve while they learn: contrast of views, names of categories."""

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(FEATURES - COLOURS)
        self.project = nn.Linear(FEATURES - COLOURS, 128)
        self.name = nn.Linear(FEATURES - COLOURS, kinds)

    def forward(
        self,
        features: Tensor,
        products: Tensor,
        kinds: Tensor,
        plan: EmbedderPlan,
        finetune: FinetunePlan,
    ) -> Tensor:
        """The loss of a batch of two views a garment."""
        deep = self.norm(features[:, :-COLOURS])
        apart = contrast(self.project(deep), products.repeat(2), kinds.repeat(2), plan)
        named = functional.cross_entropy(
            self.name(functional.dropout(deep, plan.drop)), kinds.repeat(2), label_smoothing=0.1
        )
        return apart + finetune.naming * named


class _Views(Dataset[tuple[Tensor, Tensor]]):
    """Two views of the garment at a place of the run."""

    def __init__(self, items: Sequence[Item], order: NDArray[np.int64], plan: EmbedderPlan) -> None:
        self._items, self._order, self._plan = items, order, plan

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        random = np.random.default_rng((self._plan.seed, place))
        cutout = self._items[self._order[place]].cutout
        one, two = (on_neutral_square(view(cutout, random), self._plan.side) for _ in range(2))
        return _tensor(one), _tensor(two)


def _batches(items: Sequence[Item], plan: EmbedderPlan, finetune: FinetunePlan) -> Any:
    """Pictures float32 (2n, 3, side, side) in [-1, 1] and the n garments' numbers, step by step."""
    random = np.random.default_rng(plan.seed)
    count = finetune.steps * finetune.batch
    rounds = -(-count // len(items))
    order = np.concatenate([random.permutation(len(items)) for _ in range(rounds)])[:count]
    loader: Any = DataLoader(
        _Views(items, order, plan), batch_size=finetune.batch, num_workers=finetune.workers
    )
    for number, (one, two) in enumerate(loader):
        first = number * finetune.batch
        chosen = torch.from_numpy(order[first : first + len(one)])
        pictures = torch.cat([one, two]).contiguous(memory_format=torch.channels_last)
        yield pictures, chosen


def _tensor(square: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(square).permute(2, 0, 1).sub(0.5).div(0.5)


def _rate(step: int, finetune: FinetunePlan) -> float:
    """Linear warm-up over 50 steps, then a cosine to nothing."""
    warm = min((step + 1) / 50, 1.0)
    return finetune.lr * warm * 0.5 * (1 + math.cos(math.pi * step / finetune.steps))
