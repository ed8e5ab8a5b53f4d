"""The order of an epoch: which photos go together into which update, on which process."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from fashionmap.training.segmenter.ranks import Ranks
from fashionmap.training.segmenter.samples import GarmentSamples

Batch = tuple[int, list[Tensor], list[dict[str, Tensor]]]
"""Number of the batch in its epoch, images, targets."""


@dataclass(frozen=True)
class EpochOrder:
    """An epoch's photos as batches, and batches as groups that make one update each.

    The last batch may be smaller, and the last group may hold fewer batches: nothing is lost, and
    nothing leaks into the next epoch. With several processes the last round begins anew at the
    first batch, so that all have equally many.

    Attributes:
        photos: Samples in the epoch.
        batch: Samples a batch.
        accumulate: Batches a group and process.
        world: Processes.
    """

    photos: int
    batch: int
    accumulate: int
    world: int = 1

    @property
    def batches(self) -> int:
        """Batches of all processes."""
        return -(-self.photos // self.batch)

    @property
    def rounds(self) -> int:
        """Batches of each process."""
        return -(-self.batches // self.world)

    @property
    def groups(self) -> int:
        """Updates."""
        return -(-self.rounds // self.accumulate)

    def members(self, group: int, rank: int) -> list[int]:
        """Numbers of the batches that a process adds to a group."""
        first = group * self.accumulate
        rounds = range(first, min(first + self.accumulate, self.rounds))
        return [(r * self.world + rank) % self.batches for r in rounds]

    def indices(self, number: int) -> list[int]:
        """Samples of a batch."""
        return list(range(number * self.batch, min((number + 1) * self.batch, self.photos)))

    def weight(self, number: int, group: int) -> float:
        """A batch's share of its group's samples, over all processes."""
        every = [n for rank in range(self.world) for n in self.members(group, rank)]
        return len(self.indices(number)) / sum(len(self.indices(n)) for n in every)


def groups_of(
    samples: GarmentSamples, order: EpochOrder, *, start: int, ranks: Ranks, workers: int, pin: bool
) -> Iterator[tuple[int, list[Batch]]]:
    """Groups from ``start`` on, each with this process's batches. Draws no random numbers."""
    plan = [(g, order.members(g, ranks.rank)) for g in range(start, order.groups)]
    loader: Any = DataLoader(
        samples,
        batch_sampler=[order.indices(n) for _, numbers in plan for n in numbers],
        collate_fn=collate,
        num_workers=workers,
        pin_memory=pin,
        generator=torch.Generator(),
        worker_init_fn=_alone if workers else None,
    )
    loaded = iter(loader)
    for group, numbers in plan:
        yield group, [(n, *next(loaded)) for n in numbers]


def seed_batch(seed: int, epoch: int, number: int) -> None:
    """Seeds torch by a batch's place: a resumed run draws what an unbroken one draws."""
    state = np.random.SeedSequence((seed, epoch, number)).generate_state(2)
    torch.manual_seed((int(state[0]) << 31) ^ int(state[1]))


def collate(
    batch: list[tuple[Tensor, dict[str, Tensor]]],
) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Images and targets as lists: torchvision's detectors want them so."""
    return [image for image, _ in batch], [target for _, target in batch]


def _alone(_worker: int) -> None:
    cv2.setNumThreads(0)
