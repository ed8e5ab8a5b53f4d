"""A visitor's photo on a map: cut out, compared, placed; nothing of it is kept."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool

from fashionmap.domain.garment import Garment, MasksDocument
from fashionmap.errors import FashionMapError
from fashionmap.explorer.backend import Peers
from fashionmap.explorer.measure import counted

NEAR = 24


async def find_in_map(
    data: bytes, *, collection: str, version: str, peers: Peers
) -> AsyncIterator[str]:
    """Lines of JSON: what begins, what was found, at last each garment with its place.

    A sentence under ``error`` ends it where a service refuses the photo or does not answer.
    """
    try:
        with counted("search"):
            yield _line({"stage": "cutting out"})
            masks = await run_in_threadpool(peers.segment, data)
            yield _line({"stage": "comparing", "found": len(_garments(masks))})
            vectors = await run_in_threadpool(peers.embed, masks, data)
            garments = []
            for garment in _garments(masks):
                near, x, y = await run_in_threadpool(
                    peers.neighbours, collection, version, vectors[garment.id], count=NEAR
                )
                garments.append({**_told(garment), "x": x, "y": y, "near": near})
        size = {"width": masks.photo.width, "height": masks.photo.height}
        yield _line({"stage": "done", "photo": {"id": masks.photo.id, **size}, "units": garments})
    except FashionMapError as error:
        yield _line({"error": str(error)})


def _garments(masks: MasksDocument) -> list[Garment]:
    return [garment for garment in masks.garments if garment.unit == "garment"]


def _told(garment: Garment) -> dict[str, Any]:
    found = garment.detection
    return {
        "id": garment.id,
        "category": found.category,
        "score": found.score,
        "bbox": list(found.bbox),
        "area": found.area,
        "counts": found.mask.counts,
    }


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record) + "\n"
