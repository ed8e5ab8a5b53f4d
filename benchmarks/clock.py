"""Seconds of a call, and its peak of extra memory."""

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
PAGE = 4096


def seconds(act: Callable[[], T]) -> tuple[float, T]:
    """Seconds by the clock, and the result."""
    began = time.perf_counter()
    result = act()
    return time.perf_counter() - began, result


def steady_seconds(act: Callable[[], T], *, within: float = 1.5) -> tuple[float, T]:
    """The median of the runs that begin within some seconds, at least three, and the last result.

    One run before warms up, so short calls and long ones are measured by the same rule.
    """
    act()
    taken: list[float] = []
    began = time.perf_counter()
    while len(taken) < 3 or time.perf_counter() - began < within:
        second, result = seconds(act)
        taken.append(second)
    return statistics.median(taken), result


def work_seconds(act: Callable[[], T]) -> tuple[float, float, T]:
    """Seconds by the clock, seconds of processor time of all threads, and the result.

    The second hardly depends on what else the machine does.
    """
    began, worked = time.perf_counter(), time.process_time()
    result = act()
    return time.perf_counter() - began, time.process_time() - worked, result


def extra_memory(act: Callable[[], object]) -> float:
    """Most megabytes of resident memory above the start, sampled each millisecond."""
    start, peak, done = _resident(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, _resident())
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    act()
    done.set()
    watcher.join()
    return max(peak - start, 0) * PAGE / 2**20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])
