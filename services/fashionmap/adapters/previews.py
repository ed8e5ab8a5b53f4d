"""Small pictures of photos, to show beside a map."""

import io

from PIL import Image

from fashionmap.adapters.photo_decoder import decode_photo

SIDE = 480
"""Longest side of a preview in pixels: 10 to 40 KB."""


def preview_of(data: bytes) -> bytes:
    """A photo as a small WebP; raises ``PhotoRejected`` where it is none."""
    image = Image.fromarray(decode_photo(data, shortest=SIDE))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    sink = io.BytesIO()
    image.save(sink, "WEBP", quality=74, method=3)
    return sink.getvalue()
