"""Versions of models in the object store: ``models/{name}/{version}/``.

``weights.safetensors``, ``card.md`` and, written last as the commit, ``model.json`` with the hash.
A version never changes once it is there.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from fashionmap.adapters.weights import Weights, read_weights
from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, to_bytes
from fashionmap.errors import BlobNotFound, MessageRejected, UsageError, WeightsRejected
from fashionmap.ports import BlobStore

LATEST = "latest"
_REFERENCE = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)@([A-Za-z0-9_][A-Za-z0-9._-]*)")
RECORD, WEIGHTS, CARD = "model.json", "weights.safetensors", "card.md"


@dataclass(frozen=True)
class ModelRecord:
    """What ``model.json`` says.

    Attributes:
        name: Such as ``garments-small``.
        version: Such as ``0.2.0``.
        kind: ``segmenter`` or ``embedder``.
        architecture: Which network the weights are for.
        sha256: Of the weights file, 64 hex digits.
        size: Of the weights file in bytes.
        taxonomy: Name of the categories; ``""`` for embedders.
        data: What it learned from, a sentence each.
        licence: Of the weights.
        metrics: Figures by name.
    """

    name: str
    version: str
    kind: str
    architecture: str
    sha256: str
    size: int
    taxonomy: str = ""
    data: tuple[str, ...] = ()
    licence: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)


def is_reference(name: str) -> bool:
    """Whether a model's name is ``name@version``, to be had from a store."""
    return _REFERENCE.fullmatch(name) is not None and not name.endswith(".safetensors")


def split_reference(reference: str) -> tuple[str, str]:
    """Name and version (perhaps ``latest``) of a reference."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise UsageError(f"{reference!r} is no NAME@VERSION.")
    return found[1], found[2]


class ModelStore:
    """Models in a blob store, cached in a folder. Raises ``StoreUnavailable`` as the store does."""

    def __init__(self, blobs: BlobStore, cache: Path) -> None:
        self._blobs, self._cache = blobs, cache

    def push(self, record: ModelRecord, weights: bytes, card: str) -> bool:
        """Adds a version; False where the very same is there already.

        Raises:
            UsageError: Another model is there under this name and version.
        """
        if record.version == LATEST:
            raise UsageError(f"{LATEST!r} names the highest version and is none itself.")
        prefix = keys.model(record.name, record.version)
        try:
            known = self.record(record.name, record.version)
        except BlobNotFound:
            known = None
        if known is not None and known.sha256 != record.sha256:
            raise UsageError(
                f"{record.name}@{record.version} is there with other weights: versions never "
                "change, so choose another."
            )
        if known is None:
            self._blobs.put(prefix + WEIGHTS, weights)
            self._blobs.put(prefix + CARD, card.encode())
            self._blobs.put(prefix + RECORD, to_bytes(asdict(record)))
        return known is None

    def records(self) -> list[ModelRecord]:
        """All versions, by name, the highest version last."""
        found = [key for key in self._blobs.keys(keys.models()) if key.endswith("/" + RECORD)]
        every = [self._read(key) for key in found]
        return sorted(every, key=lambda r: (r.name, version_order(r.version)))

    def record(self, name: str, version: str) -> ModelRecord:
        """One version's record; ``BlobNotFound`` where it is not there."""
        try:
            return self._read(keys.model(name, version) + RECORD)
        except BlobNotFound as error:
            raise BlobNotFound(f"There is no model {name}@{version} in the store.") from error

    def card(self, name: str, version: str) -> str:
        """One version's model card (Markdown)."""
        return self._blobs.get(keys.model(name, version) + CARD).decode()

    def resolve(self, reference: str) -> tuple[str, str]:
        """Name and version; ``latest`` becomes the highest version that is there."""
        name, version = split_reference(reference)
        if version != LATEST:
            return name, version
        prefix = keys.model(name, version).removesuffix(f"{LATEST}/")
        versions = [
            key.removeprefix(prefix).removesuffix("/" + RECORD)
            for key in self._blobs.keys(prefix)
            if key.endswith("/" + RECORD)
        ]
        if not versions:
            raise BlobNotFound(f"There is no version of a model {name!r} in the store.")
        return name, max(versions, key=version_order)

    def weights(self, reference: str) -> Weights:
        """A version's weights from the cache, or else from the store; their hash is checked.

        Raises:
            WeightsRejected: What lies in the store does not fit its record.
        """
        record = self.record(*self.resolve(reference))
        path = self._cache / record.name / record.version / f"{record.sha256}.safetensors"
        if not path.exists():
            self._fetch(record, path)
        try:
            found = read_weights(path, sha256=record.sha256)
        except WeightsRejected:
            self._fetch(record, path)  # a damaged cache is filled anew
            found = read_weights(path, sha256=record.sha256)
        own = {"name": record.name, "version": record.version}
        return replace(found, metadata={**found.metadata, **own})

    def _fetch(self, record: ModelRecord, path: Path) -> None:
        data = self._blobs.get(keys.model(record.name, record.version) + WEIGHTS)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
                part.write(data)
            os.replace(part.name, path)  # noqa: PTH105
        except OSError as error:
            raise WeightsRejected(f"{path} cannot be written: {error.strerror}.") from error

    def _read(self, key: str) -> ModelRecord:
        fields = from_bytes(self._blobs.get(key))
        try:
            known = {k: v for k, v in fields.items() if k in ModelRecord.__dataclass_fields__}
            return ModelRecord(**{**known, "data": tuple(known.get("data", ()))})
        except (TypeError, AttributeError) as error:
            raise MessageRejected(f"{key} is no record of a model: {error}.") from error


def version_order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Sorts versions by their numbers: 0.10.0 after 0.9.1, and 1.0.0-rc1 before 1.0.0."""
    numbers, _, rest = version.partition("-")
    parts = re.findall(r"\d+", numbers)
    return tuple(int(p) for p in parts), not rest, version


def card_of(record: ModelRecord) -> str:
    """A short model card, for a model that comes without one."""
    data = "\n".join(f"- {sentence}" for sentence in record.data) or "- not told"
    return (
        f"# {record.name} {record.version}\n\n"
        f"A {record.kind} ({record.architecture}), SHA-256 `{record.sha256}`.\n\n"
        f"**Licence**: {record.licence or 'not told'}\n\n**Data**\n\n{data}\n\n"
        f"**Figures**\n\n```json\n{json.dumps(dict(record.metrics), indent=2)}\n```\n"
    )
