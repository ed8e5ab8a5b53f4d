"""A collection's embedding documents in order, read ahead from a store that is far away."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from fashionmap.domain import keys
from fashionmap.domain.documents import from_bytes, photo_from_json
from fashionmap.domain.photo import Photo
from fashionmap.ports import BlobStore

READERS = 8
AHEAD = 64
"""Documents held at most."""


class DocumentReader:
    """Reads documents, and beside each its photo's record, which may be newer than the document.

    Attributes:
        described: The photo of the document that was given last, by its id.
    """

    def __init__(self, blobs: BlobStore, collection: str, document_keys: Sequence[str]) -> None:
        self._blobs, self._collection, self._keys = blobs, collection, document_keys
        self.described: dict[str, Photo] = {}

    def documents(self) -> Iterator[bytes]:
        """Each document's bytes, in the order of the keys."""
        source = iter(self._keys)
        with ThreadPoolExecutor(READERS) as readers:
            waiting = deque(readers.submit(self._read, key) for key in islice(source, AHEAD))
            while waiting:
                document, photo = waiting.popleft().result()
                for key in islice(source, 1):
                    waiting.append(readers.submit(self._read, key))
                self.described.clear()
                self.described[photo.id] = photo
                yield document

    def _read(self, key: str) -> tuple[bytes, Photo]:
        photo_id = key.split("/photos/")[1].split("/", maxsplit=1)[0]
        record = self._blobs.get(keys.photo_record(self._collection, photo_id))
        return self._blobs.get(key), photo_from_json(from_bytes(record))
