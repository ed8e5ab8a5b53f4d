"""Events of the system, gathered and told to every open page a few times a second."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fashionmap.adapters.codec import routing_key
from fashionmap.adapters.metrics import EVENT_STREAMS
from fashionmap.domain.events import (
    CollectionGrew,
    Event,
    MapRequested,
    MapUpdated,
    PhotoOffered,
)

PAUSE = 0.4
"""Seconds over which events are gathered into one message."""
QUIET = 15.0
"""Seconds of silence after which a page is told that all is well."""
MOST_PHOTOS = 400
"""Single photos that are named in one message; above, only counts are told."""
WINDOW = 60.0
"""Seconds over which a rate is taken."""


@dataclass
class News:
    """What happened to one collection since the last message.

    Attributes:
        stages: Photos by the stage that they passed.
        photos: The last stage of single photos.
        placed: Photos whose units were placed, by map.
        maps: New maps.
        requested: Maps that were asked for.
    """

    stages: Counter[str] = field(default_factory=Counter)
    photos: dict[str, str] = field(default_factory=dict)
    placed: dict[str, list[str]] = field(default_factory=dict)
    maps: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Takes an event in."""
        if isinstance(event, MapUpdated):
            if event.photo_id:
                self.placed.setdefault(event.version, []).append(event.photo_id)
                self.photos[event.photo_id] = "placed"
            else:
                self.maps.append(event.version)
        elif isinstance(event, MapRequested):
            self.requested.append(event.version)
        elif not isinstance(event, CollectionGrew):
            stage = stage_of(event)
            self.stages[stage] += 1
            if not isinstance(event, PhotoOffered) and len(self.photos) < MOST_PHOTOS:
                self.photos[event.photo_id] = stage

    def to_json(self) -> dict[str, Any]:
        """The message."""
        return {
            "stages": dict(self.stages),
            "photos": self.photos,
            "placed": self.placed,
            "maps": self.maps,
            "requested": self.requested,
        }


class Hub:
    """Takes events from the listener's thread; pages subscribe on the server's loop."""

    def __init__(self) -> None:
        self._open: dict[str, list[_Subscriber]] = {}
        self._passed: dict[str, deque[float]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Says on which loop pages are served."""
        self._loop = loop

    def heard(self, event: Event) -> None:
        """Takes an event, from any thread."""
        if isinstance(event, CollectionGrew):
            return  # a timer of the projection
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, event)

    def close(self) -> None:
        """Lets every page go; from the loop's own thread."""
        self._closing = True
        for subscribers in self._open.values():
            for subscriber in subscribers:
                subscriber.wake()

    def rates(self, collection: str) -> dict[str, float]:
        """Photos a minute by stage."""
        now = time.monotonic()
        told = {}
        for stage in ("ingested", "segmented", "embedded", "placed"):
            times = self._passed.get(f"{collection}/{stage}", deque())
            while times and now - times[0] > WINDOW:
                times.popleft()
            told[stage] = round(len(times) * 60 / WINDOW, 1)
        return told

    async def listen(self, collection: str) -> AsyncIterator[str]:
        """Server-sent events of a collection until the page goes away."""
        subscriber = _Subscriber()
        self._open.setdefault(collection, []).append(subscriber)
        try:
            with EVENT_STREAMS.track_inprogress():
                yield "retry: 1500\nevent: hello\ndata: {}\n\n"
                while not self._closing:
                    yield await subscriber.next()
        finally:
            self._open[collection].remove(subscriber)
            if not self._open[collection]:
                del self._open[collection]

    def _take(self, event: Event) -> None:
        stage = "placed" if isinstance(event, MapUpdated) else stage_of(event)
        if stage:
            times = self._passed.setdefault(f"{event.collection}/{stage}", deque(maxlen=200_000))
            times.append(time.monotonic())
        for subscriber in self._open.get(event.collection, []):
            subscriber.take(event)


def stage_of(event: Event) -> str:
    """What happened to the event's photo, ``""`` where it is of none: the routing key says both."""
    about, _, what = routing_key(event).partition(".")
    return what if about == "photo" else ""


class _Subscriber:
    """One open page."""

    def __init__(self) -> None:
        self._news, self._some = News(), asyncio.Event()

    def take(self, event: Event) -> None:
        self._news.add(event)
        self._some.set()

    def wake(self) -> None:
        self._some.set()

    async def next(self) -> str:
        try:
            async with asyncio.timeout(QUIET):
                await self._some.wait()
        except TimeoutError:
            return ": all is well\n\n"
        await asyncio.sleep(PAUSE)
        news, self._news = self._news, News()
        self._some.clear()
        return f"event: news\ndata: {json.dumps(news.to_json())}\n\n"
