"""Photos side by side: some are read or written while models work on others."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from fashionmap.errors import PermanentError

Event = TypeVar("Event")
Read = TypeVar("Read")
Made = TypeVar("Made")
Item = TypeVar("Item")
Result = TypeVar("Result")

BESIDE = 3
"""Photos that are read or written beside those that the models work on: bounds memory."""


def pipelined(
    events: Sequence[Event],
    *,
    at_once: int,
    read: Callable[[Event], Read | None],
    work: Callable[[Read], Made],
    write: Callable[[Event, Made], object],
) -> list[PermanentError | None]:
    """Reads, works and writes, each event in a thread of its own, a bounded number at a time.

    Args:
        events: A batch.
        at_once: How many threads may work at once; others read and write meanwhile.
        read: Gets what an event's work needs; None where there is none to do.
        work: Makes what is written.
        write: Writes it.

    Returns:
        For each event the error that refuses it, or None once its write has ended: a refused
        event costs nobody else's work. Any other error ends the batch and is raised when no
        thread is at work any more.
    """
    turns = threading.BoundedSemaphore(at_once)

    def one(event: Event) -> PermanentError | None:
        try:
            item = read(event)
            if item is not None:
                with turns:
                    made = work(item)
                write(event, made)
        except PermanentError as error:
            return error
        return None

    threads = at_once + BESIDE
    return list(in_order(events, one, threads=threads, most=2 * threads))


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
