"""All stages in one process: the embedded default for a folder of photos."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.blobs_overlay import InPlaceBlobStore
from fashionmap.adapters.photo_decoder import PhotoDecoder
from fashionmap.adapters.units_table import ArrowUnitsWriter
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, photo_from_json
from fashionmap.domain.events import PhotoIngested, PhotoOffered, PhotoSegmented
from fashionmap.domain.photo import MetadataValue, ModelStamp, Photo
from fashionmap.embedding.handler import embed_photos
from fashionmap.entrypoints.catalogue import Catalogue
from fashionmap.entrypoints.photos_on_disk import PhotoFile
from fashionmap.errors import FashionMapError, PermanentError, UsageError
from fashionmap.ingest.handler import ingest_photo
from fashionmap.pipelining import Pipeline, in_order
from fashionmap.ports import Embedder, Segmenter
from fashionmap.projection.build import MapContext, build_map
from fashionmap.projection.projector import ProjectorParameters
from fashionmap.segmentation.handler import segment_photos

COLLECTION = "local"
STATE = ".fashionmap"
AHEAD = 20
"""Photos read and decoded ahead of the models; bounds memory."""
BATCH = 16
READERS = 2


@dataclass(frozen=True)
class Models:
    """The two models of a run, loaded when first needed.

    Attributes:
        segmenter: Loads the segmenter.
        embedder: Loads the embedder.
    """

    segmenter: Callable[[], Segmenter]
    embedder: Callable[[], Embedder]


@dataclass
class Watcher:
    """Is told how a run goes; the command line draws bars from it."""

    stage: Callable[[str, int], None] = lambda _name, _total: None
    advance: Callable[[int], None] = lambda _count: None


@dataclass
class LocalRun:
    """One run over photo files into a map folder.

    State lies under ``DIR/.fashionmap``: a stopped run goes on where it was, and a second run
    over the same files does no model work. Photos are read where they lie and never copied.
    """

    out: Path
    photos: list[PhotoFile]
    models: Models
    unit: str = "garment"
    parameters: ProjectorParameters = field(default_factory=ProjectorParameters)
    metadata: Mapping[str, Mapping[str, MetadataValue]] = field(default_factory=dict)
    watcher: Watcher = field(default_factory=Watcher)

    def run(self) -> dict[str, Any]:
        """Brings the map up to date; returns the content of ``map.json``."""
        check_folder(self.out)
        self._blobs = InPlaceBlobStore(self.out / STATE)
        self._catalogue = Catalogue(self.out / STATE / "files.json")
        self._decoder = PhotoDecoder(remember=2 * AHEAD)
        self._segmenter, self._embedder = self.models.segmenter(), self.models.embedder()
        self._segmenting = Pipeline(self._segmenter.at_once)
        self._embedding = Pipeline(self._embedder.at_once)
        began = time.monotonic()
        try:
            self._process()
        finally:
            self._segmenting.close()
            self._embedding.close()
            self._catalogue.save()
        return self._map(time.monotonic() - began)

    def _process(self) -> None:
        pending = [photo for photo in self.photos if not self._is_done(photo)]
        self.watcher.stage("Cutting out garments", len(self.photos))
        self.watcher.advance(len(self.photos) - len(pending))
        ready = in_order(pending, self._ingest, threads=READERS, most=AHEAD)
        while batch := list(islice(ready, BATCH)):
            self._models([event for event in batch if event is not None])
            self.watcher.advance(len(batch))
            self._catalogue.save(after_seconds=10)

    def _is_done(self, photo: PhotoFile) -> bool:
        """Whether an earlier run has finished this file, unchanged since."""
        seen = self._catalogue.find(photo.path)
        if seen is None:
            return False
        if seen.reason:
            return True
        return self._blobs.exists(self._embedding_key(seen.photo_id))

    def _ingest(self, photo: PhotoFile) -> PhotoIngested | None:
        """Reads and checks one file; None where it is refused (and noted) or already done."""
        try:
            data = photo.path.read_bytes()
            photo_id = hashlib.sha256(data).hexdigest()
            original = keys.original(COLLECTION, photo_id)
            self._blobs.remember(original, photo.path)
            offer = PhotoOffered(COLLECTION, photo.name, data=data)
            event = ingest_photo(offer, blobs=self._blobs, decoder=self._decoder)
        except OSError as error:
            self._catalogue.refuse(photo.path, f"The file cannot be read: {error.strerror}.")
            return None
        except PermanentError as error:
            self._catalogue.refuse(photo.path, str(error))
            return None
        self._blobs.hold(original, data)
        self._catalogue.accept(photo.path, photo_id)
        return event

    def _models(self, events: list[PhotoIngested]) -> None:
        """Segments and embeds a batch. A photo's document is its commit."""
        parts: Any = {"blobs": self._blobs, "decoder": self._decoder}
        found = segment_photos(
            events, segmenter=self._segmenter, pipeline=self._segmenting, **parts
        )
        segmented = [event for event in found if isinstance(event, PhotoSegmented)]
        results = embed_photos(
            segmented,
            embedder=self._embedder,
            writer=ArrowUnitsWriter(),
            pipeline=self._embedding,
            **parts,
        )
        for event in events:
            self._blobs.release(keys.original(COLLECTION, event.photo_id))
        for error in [e for e in [*found, *results] if isinstance(e, FashionMapError)]:
            raise error

    def _embedding_key(self, photo_id: str) -> str:
        stamps = (self._segmenter.stamp, self._embedder.stamp)
        return keys.embeddings(COLLECTION, photo_id, *stamps)

    def _map(self, seconds: float) -> dict[str, Any]:
        described, duplicates, rejected = self._take_stock()
        fingerprint = self._fingerprint(described)
        summary = read_summary(self.out)
        if summary and summary.get("fingerprint") == fingerprint:
            return summary
        context = MapContext(
            rejected=rejected,
            duplicates=duplicates,
            timings={"photos": round(seconds, 2)},
            fingerprint=fingerprint,
            described=described,
            photos=lambda photo_id: self._blobs.get(keys.original(COLLECTION, photo_id)),
        )
        return build_map(
            (self._blobs.get(self._embedding_key(photo_id)) for photo_id in described),
            store=FilesystemBlobStore(self.out),
            prefix="",
            unit=self.unit,
            parameters=self.parameters,
            context=context,
            progress=lambda text: self.watcher.stage(text, 0),
        )

    def _take_stock(self) -> tuple[dict[str, Photo], list[dict[str, str]], list[dict[str, str]]]:
        """Photos by id under their first file's name, duplicates, and refused files."""
        described: dict[str, Photo] = {}
        duplicates: list[dict[str, str]] = []
        rejected: list[dict[str, str]] = []
        for photo in self.photos:
            seen = self._catalogue.find(photo.path)
            if seen is None or seen.reason:
                reason = seen.reason if seen else "The file changed while it was read."
                rejected.append({"file_name": photo.name, "reason": reason})
            elif seen.photo_id in described:
                same = described[seen.photo_id].file_name
                duplicates.append({"file_name": photo.name, "same_as": same})
            else:
                self._blobs.remember(keys.original(COLLECTION, seen.photo_id), photo.path)
                described[seen.photo_id] = self._describe(seen.photo_id, photo)
        return described, duplicates, rejected

    def _describe(self, photo_id: str, photo: PhotoFile) -> Photo:
        record = photo_from_json(
            from_bytes(self._blobs.get(keys.photo_record(COLLECTION, photo_id)))
        )
        extra = self.metadata.get(photo.name) or self.metadata.get(photo.path.name) or {}
        return Photo(photo_id, photo.name, record.width, record.height, dict(extra))

    def _fingerprint(self, described: Mapping[str, Photo]) -> str:
        content = {
            "photos": [[p.id, p.file_name, dict(p.metadata)] for p in described.values()],
            "models": [_key(self._segmenter.stamp), _key(self._embedder.stamp)],
            "unit": self.unit,
            "parameters": self.parameters.to_json(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def check_folder(out: Path) -> None:
    """``UsageError`` where the folder holds something that is not ours."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder.")
    ours = (out / STATE).exists() or (out / "map.json").exists()
    if out.exists() and any(out.iterdir()) and not ours:
        raise UsageError(f"{out} holds other things than a map; name an empty or a new folder.")
    try:
        (out / STATE).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from error


def read_summary(folder: Path) -> dict[str, Any] | None:
    """``map.json`` of a map folder, None where there is none or it is damaged."""
    try:
        summary = json.loads((folder / "map.json").read_bytes())
    except (OSError, ValueError):
        return None
    complete = all(
        (folder / name).exists() for name in ("garments.parquet", "poster.png", "grid.png")
    )
    return summary if isinstance(summary, dict) and complete else None


def _key(stamp: ModelStamp) -> str:
    return stamp.key
