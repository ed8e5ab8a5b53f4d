"""Training in several processes, as torchrun starts them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed, nn

PATIENCE = timedelta(hours=2)
"""Others wait so long while the first process evaluates."""


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is.

    Gradients are summed here and not by ``DistributedDataParallel``: photos without garments leave
    a head without gradients, which its buckets do not bear, and the sum's order stays the same.

    Attributes:
        rank: From 0.
        world: How many.
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this one writes the run folder."""
        return self.rank == 0

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Adds up the gradients of all processes; what has none counts as 0."""
        if self.world == 1:
            return
        learning = [p for p in parameters if p.requires_grad]
        for parameter in learning:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in learning if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def agree(self, value: float, device: str) -> float:
        """The first process's value."""
        if self.world == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=device)
        distributed.broadcast(shared, 0)
        return float(shared)

    def wait(self) -> None:
        """Until all are here."""
        if self.world > 1:
            distributed.barrier()


def join_ranks(device: str) -> tuple[Ranks, str]:
    """Joins the processes that torchrun started, and says which device is this one's.

    Without torchrun this is the only process.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return Ranks(), device
    if device.startswith("cuda"):
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    backend = "nccl" if device.startswith("cuda") else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)
    return Ranks(distributed.get_rank(), world), device


def leave_ranks() -> None:
    """Ends what ``join_ranks`` began."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
