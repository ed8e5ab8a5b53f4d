"""Photos side by side: some are read or written while models work on others."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import islice
from threading import Semaphore
from typing import TypeVar

from fashionmap.errors import PermanentError

Event = TypeVar("Event")
Read = TypeVar("Read")
Made = TypeVar("Made")
Item = TypeVar("Item")
Result = TypeVar("Result")
_InTurn = Callable[[Callable[[Item], Result], Item], Result]

BESIDE = 3
"""Photos that are decoded beside the one that a GPU works on: bounds memory."""


def around(at_once: int) -> int:
    """How many threads read, write, and wait for their turn at the models.

    A GPU has one caller, and others decode for it meanwhile. Where several threads gain by calling
    at once, all cores are the models' already, and a thread more makes them wait (ADR 0018).
    """
    return at_once + BESIDE if at_once == 1 else at_once


class Pipeline:
    """Reads, works and writes items side by side, batch after batch.

    Several threads may ``run`` a batch at once: they share its threads, and the items of a batch
    that comes later are begun when the former has none left to begin. So a model goes on at the
    end of a batch, and no more items are in memory than with one batch. Threads are kept, with
    what they have at hand: the memory of a model's last photo serves for the next.

    Args:
        at_once: How many items may be worked on at once; ``around`` it are read and written.
    """

    def __init__(self, at_once: int) -> None:
        self._around = ThreadPoolExecutor(around(at_once), thread_name_prefix="around")
        self._others = ThreadPoolExecutor(at_once, thread_name_prefix="others")
        self._turns = Semaphore(at_once)

    def run(
        self,
        events: Sequence[Event],
        *,
        read: Callable[[Event], Read | None],
        work: Callable[[Read], Made],
        write: Callable[[Event, Made], object],
    ) -> list[PermanentError | None]:
        """Handles a batch.

        Args:
            events: The batch.
            read: Gets what an event's work needs; None where there is none to do.
            work: Makes what is written.
            write: Writes it.

        Returns:
            For each event the error that refuses it, or None once its write has ended: a refused
            event costs nobody else's work. Any other error ends the batch and is raised when no
            thread is at work on it any more.
        """

        def one(event: Event, in_turn: _InTurn[Read, Made]) -> PermanentError | None:
            try:
                item = read(event)
                if item is not None:
                    write(event, in_turn(work, item))
            except PermanentError as error:
                return error
            return None

        if len(events) == 1:
            return [one(events[0], self.work)]  # it waits for no other batch
        begun = [self._around.submit(one, event, self._in_turn) for event in events]
        try:
            return [future.result() for future in begun]
        finally:
            wait([future for future in begun if not future.cancel()])

    def work(self, act: Callable[[Item], Result], item: Item) -> Result:
        """What ``act`` makes of an item by itself, when it is its turn among those of the batches.

        Callers may be many; the threads that act for them, and hold a model's memory, are few.
        """
        return self._others.submit(self._in_turn, act, item).result()

    def close(self) -> None:
        """Ends the threads, once they are done."""
        self._around.shutdown()
        self._others.shutdown()

    def _in_turn(self, act: Callable[[Item], Result], item: Item) -> Result:
        with self._turns:
            return act(item)


def pipelined(
    events: Sequence[Event],
    *,
    at_once: int,
    read: Callable[[Event], Read | None],
    work: Callable[[Read], Made],
    write: Callable[[Event, Made], object],
) -> list[PermanentError | None]:
    """``Pipeline.run`` with threads of its own."""
    with closing(Pipeline(at_once)) as pipeline:
        return pipeline.run(events, read=read, work=work, write=write)


def in_order(
    items: Iterable[Item], act: Callable[[Item], Result], *, threads: int, most: int
) -> Iterator[Result]:
    """Results of ``act`` in the items' order, a bounded number of items ahead of who asks.

    Args:
        items: Are taken as there is room.
        act: Is called in several threads.
        threads: How many.
        most: Items that are begun, or done and not asked for.
    """
    rest = iter(items)
    begun: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                begun.extend(pool.submit(act, item) for item in islice(rest, most - len(begun)))
                if not begun:
                    return
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()
