"""New maps of collections that grow: requested when they have grown enough, and it is quiet.

Nothing of it is kept in memory: the record in the store says when photos came, and the message that
makes somebody look again waits in the broker. One consumer at a time writes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, to_bytes
from fashionmap.domain.events import CollectionGrew, MapRequested, PhotoEmbedded
from fashionmap.domain.photo import ModelStamp
from fashionmap.errors import BlobNotFound, CollectionNotFound, PermanentError
from fashionmap.ports import BlobStore, Publisher
from fashionmap.projection.handler import embedding_keys, named_request

LONGEST_BUILD = 6 * 3600.0
"""Seconds after which a map that was asked for and never came is waited for no more."""


@dataclass(frozen=True)
class GrowthRules:
    """When a new map is due.

    Attributes:
        share: New photos by those on the newest map; 0 for never.
        photos: New photos, whatever their share; 0 for never.
        quiet: Seconds without a new photo before a map is requested.
        longest: Most seconds that it waits for such quiet.
    """

    share: float
    photos: int
    quiet: float
    longest: float

    def are_on(self) -> bool:
        """Whether anything is ever requested."""
        return self.share > 0 or self.photos > 0

    def enough(self, *, known: int, new: int) -> bool:
        """Whether so many new photos are worth a map, beside those on the newest one."""
        by_share = self.share > 0 and new >= self.share * known
        return new > 0 and (by_share or 0 < self.photos <= new)


@dataclass(frozen=True)
class Growth:
    """A collection's record. Times are seconds since 1970, 0 where there is none.

    Attributes:
        since: When the first photo came that no look has considered.
        latest: When the last one came, within a quarter of ``quiet``.
        asked: When somebody was last asked to look again.
        requested: The map that was requested last, by whomever.
        requested_at: When that was heard of.
        refusal: Where the record of its refusal would lie.
    """

    since: float = 0.0
    latest: float = 0.0
    asked: float = 0.0
    requested: str = ""
    requested_at: float = 0.0
    refusal: str = ""


@dataclass(frozen=True)
class GrowthWatch:
    """Follows all collections by their events.

    Attributes:
        blobs: The object store.
        bus: Where looks and maps are requested. Always before the record says so: what is cut off
            in between is asked for twice, and the second time changes nothing.
        rules: When a map is due.
        refusal_of: Where the record of a refused request lies.
        now: Seconds since 1970.
    """

    blobs: BlobStore
    bus: Publisher
    rules: GrowthRules
    refusal_of: Callable[[MapRequested], str]
    now: Callable[[], float]

    def handle(
        self, events: Sequence[PhotoEmbedded | MapRequested | CollectionGrew]
    ) -> list[PermanentError | None]:
        """Takes events in, in their order; photos of one collection at once."""
        came: set[str] = set()
        for event in events if self.rules.are_on() else ():
            if isinstance(event, MapRequested):
                self._requested(event)
            elif isinstance(event, CollectionGrew):
                self._look(event.collection)
            elif event.collection not in came:
                self._photo(event.collection)
                came.add(event.collection)
        return [None] * len(events)

    def _photo(self, collection: str) -> None:
        """Notes that photos come, and asks for a look where none is under way."""
        there, now, quiet = self._read(collection), self.now(), self.rules.quiet
        if not there.since or now - there.asked > 3 * quiet:  # asked for, and it never came
            self._ask(collection)
            there = replace(there, asked=now)
        elif now - there.latest < quiet / 4:
            return
        self._write(collection, replace(there, since=there.since or now, latest=now))

    def _look(self, collection: str) -> None:
        """Requests a map if one is due, or asks for another look if it is too early."""
        there, now = self._read(collection), self.now()
        if not there.since or now - there.asked < self.rules.quiet / 2:
            return  # all is considered, or the look came twice and another is under way
        is_quiet = now - there.latest >= self.rules.quiet
        is_late = now - there.since >= self.rules.longest
        if self._is_building(collection, there) or not (is_quiet or is_late):
            self._ask(collection)
            self._write(collection, replace(there, asked=now))
            return
        if request := self._due(collection):
            self.bus.publish([request])
        self._write(collection, replace(there, since=0.0, latest=0.0))

    def _requested(self, event: MapRequested) -> None:
        """Notes a request, also of somebody else: nothing is requested until it is built."""
        there = replace(
            self._read(event.collection),
            requested=event.version,
            requested_at=self.now(),
            refusal=self.refusal_of(event),
        )
        self._write(event.collection, there)

    def _is_building(self, collection: str, there: Growth) -> bool:
        if not there.requested or self.now() - there.requested_at > LONGEST_BUILD:
            return False
        done = keys.map_version(collection, there.requested) + "map.json"
        return not (self.blobs.exists(done) or self.blobs.exists(there.refusal))

    def _due(self, collection: str) -> MapRequested | None:
        """The request of a map like the newest one, if the collection has grown enough."""
        try:
            documents = embedding_keys(self.blobs, collection)
        except CollectionNotFound:
            return None  # was removed
        newest = self._newest(collection)
        known = newest["counts"]["photos"] if _is_of_their_models(newest, documents) else 0
        if not self.rules.enough(known=known, new=len(documents) - known):
            return None
        return named_request(
            collection,
            documents,
            unit=newest.get("unit", "garment"),
            perplexity=newest.get("projector", {}).get("perplexity", 0.0),
            seed=newest.get("seed", 0),
        )

    def _newest(self, collection: str) -> dict[str, Any]:
        """``map.json`` of the newest map, empty where there is none."""
        try:
            version = from_bytes(self.blobs.get(keys.newest_map(collection)))["version"]
            prefix = keys.map_version(collection, version)
            return dict(from_bytes(self.blobs.get(prefix + "map.json")))
        except BlobNotFound:
            return {}

    def _ask(self, collection: str) -> None:
        self.bus.publish([CollectionGrew(collection, self.rules.quiet)])

    def _read(self, collection: str) -> Growth:
        try:
            return Growth(**from_bytes(self.blobs.get(keys.growth(collection))))
        except BlobNotFound:
            return Growth()

    def _write(self, collection: str, growth: Growth) -> None:
        self.blobs.put(keys.growth(collection), to_bytes(asdict(growth)))


def _is_of_their_models(newest: Mapping[str, Any], documents: Sequence[str]) -> bool:
    """Whether a map shows vectors of the model that made these documents."""
    record = newest.get("embedder")
    if not (record and documents):
        return bool(newest)
    return documents[0].endswith(f"/{ModelStamp(**record).key}.arrow")
