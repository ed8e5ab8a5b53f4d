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
    Photos are fetched and cut, and documents written, beside the model's work on others, and of
    other batches of the ``pipeline``.
    """

    def read(event: PhotoSegmented) -> _Cut | None:
        there = not event.fresh and blobs.exists(key(event))
        return None if there else _read(event, blobs, decoder)

    def work(item: _Cut) -> tuple[_Cut, NDArray[np.float32]]:
        return item, embedder.embed(item[1])

    def write(event: PhotoSegmented, made: tuple[_Cut, NDArray[np.float32]]) -> None:
        (document, cutouts), vectors = made
        rows = _rows(document, cutouts, vectors)
        blobs.put(key(event), writer.write(rows, document.segmenter, embedder))

    def key(event: PhotoSegmented) -> str:
        return keys.embeddings(event.collection, event.photo_id, event.segmenter, embedder.stamp)

    errors = pipeline.run(events, read=read, work=work, write=write)
    return [
        error or PhotoEmbedded(e.collection, e.photo_id, e.segmenter, embedder.stamp)
        for e, error in zip(events, errors, strict=True)
    ]


def _read(event: PhotoSegmented, blobs: BlobStore, decoder: Decoder) -> _Cut:
    masks_key = keys.masks(event.collection, event.photo_id, event.segmenter)
    document = masks_from_bytes(blobs.get(masks_key))
    if not document.garments:
        return document, []
    pixels = decoder.pixels(blobs.get(keys.original(event.collection, event.photo_id)))
    return document, [cut_out(pixels, g.detection) for g in document.garments]


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
