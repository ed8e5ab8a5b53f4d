"""Models by name: shipped, by file, or a version from a store that may change while we work."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from fashionmap.adapters.blobs_filesystem import FilesystemBlobStore
from fashionmap.adapters.devices import device_of
from fashionmap.adapters.model_store import LATEST, ModelStore, is_reference, split_reference
from fashionmap.domain.garment import Detection
from fashionmap.domain.photo import ModelStamp
from fashionmap.errors import FashionMapError
from fashionmap.ports import BlobStore, Embedder, Segmenter
from fashionmap.settings import Settings

log = structlog.get_logger()
M = TypeVar("M", Segmenter, Embedder)


def model_store(
    settings: Settings, *, folder: Path | None = None, blobs: BlobStore | None = None
) -> ModelStore:
    """The store of models: a folder where one is given or set, else the object store."""
    folder = folder or (Path(settings.model_store) if settings.model_store else None)
    if folder is not None:
        blobs = FilesystemBlobStore(folder)
    elif blobs is None:
        from fashionmap.entrypoints.compose import object_store

        blobs = object_store(settings)
    return ModelStore(blobs, model_cache(settings))


def model_cache(settings: Settings) -> Path:
    """Folder that fetched weights are kept in."""
    own = settings.model_cache
    return Path(own) if own else Path.home() / ".cache" / "fashionmap" / "models"


class _Following(Generic[M]):
    """Stands for the highest version in the store; ``refresh`` changes to a newer one.

    A batch keeps the ``current`` one that it began with, so all of it is one model's work, and no
    message is touched by a change. A version that cannot be loaded is told and left alone.
    """

    def __init__(
        self, name: str, load: Callable[[str], M], store: ModelStore, *, every: float
    ) -> None:
        self._load: Callable[[str], M] = load
        self._name, self._store, self._every = name, store, every
        self._version = store.resolve(f"{name}@{LATEST}")[1]
        self.current: M = load(f"{name}@{self._version}")
        self._looked, self._refused = time.monotonic(), ""
        self._lock = threading.Lock()

    @property
    def stamp(self) -> ModelStamp:
        """The model that works now."""
        return self.current.stamp

    @property
    def at_once(self) -> int:
        """How many threads gain by calling it at once."""
        return self.current.at_once

    def refresh(self) -> M:
        """The current one, after a look for a newer version, at most each ``every`` seconds."""
        with self._lock:
            self._look()
            return self.current

    def _look(self) -> None:
        if time.monotonic() - self._looked < self._every:
            return
        self._looked = time.monotonic()
        try:
            version = self._store.resolve(f"{self._name}@{LATEST}")[1]
            if version in (self._version, self._refused):
                return
            self._refused = version
            self.current = self._load(f"{self._name}@{version}")
        except FashionMapError as error:
            log.warning("newer model not loaded", model=self._name, error=str(error))
            return
        self._version, self._refused = version, ""
        log.info("model changed", model=self._name, version=version, sha256=self.stamp.sha256)


class FollowingSegmenter(_Following[Segmenter]):
    """The newest version of a segmenter."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Category names."""
        return self.current.categories

    def segment(
        self, photos: Sequence[NDArray[np.uint8]], *, sizes: Sequence[tuple[int, int]] | None = None
    ) -> list[list[Detection]]:
        """Detections a photo, as the port says."""
        return self.current.segment(photos, sizes=sizes)


class FollowingEmbedder(_Following[Embedder]):
    """The newest version of an embedder."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.current.dimensions

    def embed(self, cutouts: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Vectors, as the port says."""
        return self.current.embed(cutouts)


def open_segmenter(
    name: str,
    *,
    device: str = "auto",
    threshold: float | None = None,
    settings: Settings | None = None,
    blobs: BlobStore | None = None,
) -> Segmenter:
    """A segmenter: shipped, by file, or ``name@version`` from the store; ``@latest`` follows it.

    Args:
        name: What ``load_segmenter`` knows, or a reference; ``+mirror`` may stand behind.
        device: ``cpu``, ``cuda`` or ``auto``.
        threshold: Least score that is kept.
        settings: Where the store is; read from the environment if None.
        blobs: An object store that is open already.
    """
    from fashionmap.segmentation.model import (
        load_segmenter,
        segmenter_of,
        split_mirror,
        sure_enough,
    )

    bare, mirror = split_mirror(name)
    if not is_reference(bare):
        return load_segmenter(name, device=device, threshold=threshold)
    settings = settings or Settings()
    store = model_store(settings, blobs=blobs)

    def load(reference: str) -> Segmenter:
        weights = store.weights(reference)
        return segmenter_of(
            weights, device=device_of(device), threshold=sure_enough(threshold), mirror=mirror
        )

    if split_reference(bare)[1] == LATEST:
        model = split_reference(bare)[0]
        return FollowingSegmenter(model, load, store, every=settings.model_watch)
    return load(bare)


def open_embedder(
    name: str,
    *,
    device: str = "auto",
    weights: Path | None = None,
    settings: Settings | None = None,
    blobs: BlobStore | None = None,
) -> Embedder:
    """An embedder: shipped, by file, torchvision's, or ``name@version`` from the store.

    Args:
        name: What ``load_embedder`` knows, or a reference; ``@latest`` follows the store.
        device: ``cpu``, ``cuda`` or ``auto``.
        weights: torchvision weights as safetensors.
        settings: Where the store is; read from the environment if None.
        blobs: An object store that is open already.
    """
    from fashionmap.embedding.model import garment_embedder, load_embedder

    if not is_reference(name):
        return load_embedder(name, device=device, weights=weights)
    settings = settings or Settings()
    store = model_store(settings, blobs=blobs)

    def load(reference: str) -> Embedder:
        return garment_embedder(store.weights(reference), device=device_of(device))

    if split_reference(name)[1] == LATEST:
        model = split_reference(name)[0]
        return FollowingEmbedder(model, load, store, every=settings.model_watch)
    return load(name)


def refresh(model: Any) -> Any:
    """The model of the next batch: one that follows a store may change to a newer version."""
    return model.refresh() if isinstance(model, _Following) else model


def current(model: Any) -> Any:
    """The model that works now, which stays what it is."""
    return model.current if isinstance(model, _Following) else model
