"""A batch's reads and writes, in threads beside the work of its models."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from fashionmap.errors import PermanentError

Event = TypeVar("Event")
Read = TypeVar("Read")
Made = TypeVar("Made")

THREADS = 4
AHEAD = 3
"""Items read before the model asks for them: bounds memory."""


def pipelined(
    events: Sequence[Event],
    *,
    read: Callable[[Event], Read | None],
    work: Callable[[Read], Made],
    write: Callable[[Event, Made], object],
) -> list[PermanentError | None]:
    """Reads ahead, works in order on the calling thread, and writes behind.

    Args:
        events: A batch.
        read: Gets what an event's work needs; None where there is none to do.
        work: Makes what is written. It is called by one thread at a time, in the batch's order.
        write: Writes it.

    Returns:
        For each event the error that refuses it, or None once its write has ended: a refused
        event costs nobody else's work. Any other error ends the batch and is raised when no
        thread is at work any more.
    """
    errors: list[PermanentError | None] = [None] * len(events)
    writing: list[tuple[int, Future[object]]] = []
    with ThreadPoolExecutor(THREADS) as threads:
        try:
            for place, reading in _ahead(events, read, threads):
                try:
                    item = reading.result()
                    if item is not None:
                        future = threads.submit(write, events[place], work(item))
                        writing.append((place, future))
                except PermanentError as error:
                    errors[place] = error
            for place, future in writing:
                try:
                    future.result()
                except PermanentError as error:
                    errors[place] = error
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return errors


def _ahead(
    events: Sequence[Event], read: Callable[[Event], Read | None], threads: ThreadPoolExecutor
) -> Iterator[tuple[int, Future[Read | None]]]:
    """Reads by place, a bounded number of them begun before they are asked for."""
    rest = enumerate(events)
    begun: deque[tuple[int, Future[Read | None]]] = deque()
    while True:
        room = AHEAD - len(begun)
        begun.extend((place, threads.submit(read, event)) for place, event in islice(rest, room))
        if not begun:
            return
        yield begun.popleft()
