"""Batches in hand: handled at once, a thread each."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from fashionmap.adapters.session_rabbitmq import Delivery


class Hands:
    """Handles up to ``count`` batches at once. All but ``busy_for`` is for one thread alone."""

    def __init__(
        self, count: int, handle: Callable[[Sequence[Delivery]], None], *, name: str
    ) -> None:
        self._count, self._handle = count, handle
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._began: dict[Future[None], float] = {}

    def wait_for_one(self) -> None:
        """Returns when another batch can be taken; raises what ended a thread."""
        self._wait(most=self._count - 1)

    def take(self, batch: Sequence[Delivery]) -> None:
        """Lets a batch be handled."""
        began = time.monotonic()
        self._began[self._pool.submit(self._handle, batch)] = began

    def empty(self) -> None:
        """Returns when no batch is in hand; raises what ended a thread."""
        self._wait(most=0)

    def busy_for(self) -> float:
        """Seconds since the oldest batch in hand began; 0 where there is none. From any thread."""
        began = [began for future, began in list(self._began.items()) if not future.done()]
        return time.monotonic() - min(began) if began else 0.0

    def close(self) -> None:
        """Returns when the last batch has ended."""
        self._pool.shutdown()

    def _wait(self, *, most: int) -> None:
        done = {future for future in self._began if future.done()}
        while len(self._began) - len(done) > most:
            done |= wait(set(self._began) - done, return_when=FIRST_COMPLETED).done
        for future in done:
            del self._began[future]
            future.result()
