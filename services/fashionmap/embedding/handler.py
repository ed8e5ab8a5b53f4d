"""Embedding: segmented photos get vectors, colours and thumbnails of their units."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashionmap.domain import keys
from fashionmap.domain.documents import masks_from_bytes
from fashionmap.domain.events import PhotoEmbedded, PhotoSegmented
from fashionmap.domain.garment import Garment, MasksDocument
from fashionmap.embedding.colours import dominant_colours
from fashionmap.embedding.cutout import cut_out, thumbnail
from fashionmap.errors import PermanentError
from fashionmap.fetching import Fetched
from fashionmap.pipelining import Pipeline
from fashionmap.ports import BlobStore, Decoder, Embedder, UnitsWriter

STAGE = "embedding"

_Cut = tuple[MasksDocument, list[NDArray[np.uint8]]]
"""A photo's masks document, and the cut-out of each of its units."""


def embed_photos(
    events: Sequence[PhotoSegmented],
    *,
    blobs: BlobStore,
    decoder: Decoder,
    embedder: Embedder,
    writer: UnitsWriter,
    pipeline: Pipeline,
) -> list[PhotoEmbedded | PermanentError]:
    """Writes each photo's embedding document, unless it is there already.

    A photo's cut-outs go through the model by themselves, so its vectors never depend on its
    batch, to the last bit; a refused photo costs nobody else's work and comes back as its error.
    Photos are cut beside the model's work on others, and fetched and documents written beside its
    work on other batches of the ``pipeline``.
    """
    made: dict[str, bytes] = {}

    def key(event: PhotoSegmented) -> str:
        return keys.embeddings(event.collection, event.photo_id, event.segmenter, embedder.stamp)

    def masks(event: PhotoSegmented) -> str:
        return keys.masks(event.collection, event.photo_id, event.segmenter)

    def original(event: PhotoSegmented) -> str:
        return keys.original(event.collection, event.photo_id)

    def read(event: PhotoSegmented) -> _Cut | None:
        if key(event) in there:
            return None
        document = masks_from_bytes(documents.take(masks(event)))
        if not document.garments:
            return document, []
        pixels = decoder.pixels(originals.take(original(event)))
        return document, [cut_out(pixels, g.detection) for g in document.garments]

    def work(item: _Cut) -> tuple[_Cut, NDArray[np.float32]]:
        return item, embedder.embed(item[1])

    def write(event: PhotoSegmented, done: tuple[_Cut, NDArray[np.float32]]) -> None:
        (document, cutouts), vectors = done
        rows = _rows(document, cutouts, vectors)
        made[key(event)] = writer.write(rows, document.segmenter, embedder)

    there = {key(e) for e in events if not e.fresh and blobs.exists(key(e))}
    due = [event for event in events if key(event) not in there]
    documents = Fetched(blobs, map(masks, due))
    originals = Fetched(blobs, map(original, due))
    errors = pipeline.run(events, read=read, work=work, write=write)
    blobs.put_all(made)
    return [
        error or PhotoEmbedded(e.collection, e.photo_id, e.segmenter, embedder.stamp)
        for e, error in zip(events, errors, strict=True)
    ]


def _rows(
    document: MasksDocument, cutouts: list[NDArray[np.uint8]], vectors: NDArray[np.float32]
) -> list[dict[str, Any]]:
    triples = zip(document.garments, cutouts, vectors, strict=True)
    return [unit_row(document, garment, cutout, vector) for garment, cutout, vector in triples]


def unit_row(
    document: MasksDocument,
    garment: Garment,
    cutout: NDArray[np.uint8],
    vector: NDArray[np.float32],
) -> dict[str, Any]:
    """One row of the embedding document."""
    photo, found = document.photo, garment.detection
    colours, weights = dominant_colours(cutout)
    return {
        "id": garment.id,
        "photo_id": photo.id,
        "file_name": photo.file_name,
        "unit": garment.unit,
        "category": found.category,
        "score": found.score,
        "bbox": list(found.bbox),
        "area": found.area,
        "photo_width": photo.width,
        "photo_height": photo.height,
        "counts": found.mask.counts,
        "colours": colours,
        "colour_weights": weights,
        "vector": vector,
        "thumbnail": thumbnail(cutout),
        "metadata": json.dumps(dict(photo.metadata), sort_keys=True, ensure_ascii=False),
    }
