"""A decoder's first look at strangers' bytes: in a process of its own, with limits.

A picture may be made to need hours, all memory, or a fault in a decoder's C code. Then the child
ends, and the photo is refused; the service lives on.
"""

import atexit
import json
import multiprocessing
import resource
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionmap.adapters.photo_decoder import PhotoDecoder, check_photo
from fashionmap.errors import PhotoRejected, ServiceUnavailable

START_SECONDS = 60.0


class GuardedDecoder:
    """The ``Decoder`` port for ingest: ``size`` reads each photo whole, in a child process.

    Args:
        seconds: Most seconds for one photo; 0 for no limit.
        megabytes: Most memory of the child; 0 for no limit.
    """

    def __init__(self, *, seconds: float, megabytes: int) -> None:
        self._seconds, self._megabytes = seconds, megabytes
        self._lock = threading.Lock()
        self._child: Any = None
        atexit.register(self.close)  # before multiprocessing would wait for the child
        self._pipe: Connection | None = None

    def size(self, data: bytes) -> tuple[int, int]:
        """``(height, width)`` after EXIF orientation, of what ``check_photo`` lets pass."""
        with self._lock:
            answer = self._ask(data) or self._ask(data)  # once more: the child may have been killed
        if answer is None:
            raise PhotoRejected("The picture breaks the program that decodes it.")
        if isinstance(answer, str):
            raise PhotoRejected(answer)
        height, width = answer
        return height, width

    def _ask(self, data: bytes) -> Any:
        """The child's answer: a size, or the sentence why there is none; None where it broke."""
        try:
            pipe = self._running()
            pipe.send_bytes(data)
            if pipe.poll(self._seconds or None):
                return json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            self._end()
            return None
        self._end()
        return f"The picture takes more than {self._seconds:.0f} seconds to decode."

    def pixels(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels, in this process: for what ``size`` has let pass."""
        return PhotoDecoder().pixels(data)

    def close(self) -> None:
        """Ends the child."""
        with self._lock:
            self._end()

    def _running(self) -> Connection:
        """The pipe to the child, which is started where it is not there."""
        if self._pipe is None or not self._child.is_alive():
            self._end()
            context = multiprocessing.get_context("forkserver")  # threads here would not survive
            self._pipe, theirs = context.Pipe()
            self._child = context.Process(
                target=_decode_all, args=(theirs, self._megabytes), name="decoder", daemon=True
            )
            self._child.start()
            theirs.close()
            if not self._pipe.poll(START_SECONDS):
                raise ServiceUnavailable("The program that decodes pictures does not start.")
            self._pipe.recv_bytes()
        return self._pipe

    def _end(self) -> None:
        child, pipe, self._child, self._pipe = self._child, self._pipe, None, None
        if pipe is not None:
            pipe.close()
        if child is not None:
            child.kill()
            child.join()


def _decode_all(pipe: Connection, megabytes: int) -> None:
    """The child: answers each photo with its size, or with the sentence why there is none."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # whoever started it ends it, after its batch
    if megabytes:
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20))
    with suppress(EOFError, OSError):
        pipe.send_bytes(b"ready")
        while True:
            try:
                answer: Any = check_photo(pipe.recv_bytes())
            except PhotoRejected as error:
                answer = str(error)
            pipe.send_bytes(json.dumps(answer).encode())
