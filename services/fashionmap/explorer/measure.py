"""What the explorer tells Prometheus: its requests, and what became of visitors' photos."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fashionmap.adapters.metrics import HTTP_SECONDS, UPLOADS
from fashionmap.errors import PermanentError

Aim = Literal["collection", "search"]
for _aim in ("collection", "search"):
    for _outcome in ("done", "refused", "failed"):
        UPLOADS.labels(_aim, _outcome)  # so that a rate has its zero


class Clock:
    """Measures each request by its route's pattern, so that no visitor invents a label."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._patterns: dict[Any, str] = {}
        for route in routes:
            if isinstance(route, Route):
                self._patterns[route.endpoint] = route.path
            elif isinstance(route, Mount):
                self._patterns[route.app] = "/{file}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, and measures until the end; an endless stream until it begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(lambda: self._patterns.get(scope.get("endpoint"), "none"))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.starts(message)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            answer.ends()


class _Answer:
    """One answer, told once."""

    def __init__(self, pattern: Callable[[], str]) -> None:
        self._pattern, self._began, self._status = pattern, time.monotonic(), 500
        self._told = False

    def starts(self, message: Message) -> None:
        self._status = message["status"]
        if any(kind.startswith(b"text/event-stream") for _, kind in message["headers"]):
            self.ends()

    def ends(self) -> None:
        if not self._told:
            seconds = time.monotonic() - self._began
            HTTP_SECONDS.labels(self._pattern(), str(self._status)).observe(seconds)
        self._told = True


@contextmanager
def counted(aim: Aim) -> Iterator[None]:
    """Counts a visitor's photo by what becomes of it inside; who goes away is not counted."""
    try:
        yield
    except (PermanentError, HTTPException):
        UPLOADS.labels(aim, "refused").inc()
        raise
    except Exception:
        UPLOADS.labels(aim, "failed").inc()
        raise
    UPLOADS.labels(aim, "done").inc()
