"""Bytes of a photo to pixels, by Pillow, within limits."""

import hashlib
import io
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fashionmap.domain.photo import MOST_BYTES, MOST_PIXELS
from fashionmap.errors import PhotoRejected

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")
"""What is read; everything else is refused."""
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif"}
)
"""File name endings of these formats, for folders."""


def decode_photo(data: bytes, *, shortest: int | None = None) -> NDArray[np.uint8]:
    """Pixels of a photo, uint8 RGB (height, width, 3) in 0..255, EXIF orientation applied.

    Transparent pixels are laid on white; of an animation the first frame counts; 16-bit, CMYK and
    palette pictures are brought to 8-bit RGB.

    Args:
        data: The file's bytes.
        shortest: If given, a JPEG may be decoded at 1/2, 1/4 or 1/8 as long as its short side
            stays at least this long. The size is then smaller than ``photo_size`` says.

    Raises:
        PhotoRejected: The bytes are no photo that is read; the sentence says why.
    """
    with _opened(data) as image:
        if shortest is not None and image.format == "JPEG":
            _draft(image, shortest)
        image.load()
        return np.asarray(_to_rgb(ImageOps.exif_transpose(image) or image))


class PhotoDecoder:
    """The ``Decoder`` port; remembers the last photos, so that a process decodes each once.

    Args:
        shortest: Photos are worked on reduced, by whole factors, as long as the short side
            stays at least this long.
        remember: Decoded photos to keep.
    """

    def __init__(self, *, shortest: int = 800, remember: int = 0) -> None:
        self._shortest, self._remember = shortest, remember
        self._recent: OrderedDict[bytes, NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()

    def size(self, data: bytes) -> tuple[int, int]:
        """``(height, width)`` after EXIF orientation; the whole photo is decoded on the way."""
        height_width = photo_size(data)
        self.pixels(data)
        return height_width

    def pixels(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels to work on: uint8 RGB (height, width, 3)."""
        key = hashlib.blake2b(data, digest_size=16).digest() if self._remember else b""
        with self._lock:
            if key in self._recent:
                return self._recent[key]
        pixels = decode_photo(data, shortest=self._shortest)
        factor = min(pixels.shape[:2]) // self._shortest
        if factor >= 2:
            pixels = np.asarray(Image.fromarray(pixels).reduce(factor))
        self._keep(key, pixels)
        return pixels

    def _keep(self, key: bytes, pixels: NDArray[np.uint8]) -> None:
        if not self._remember:
            return
        with self._lock:
            self._recent[key] = pixels
            while len(self._recent) > self._remember:
                self._recent.popitem(last=False)


def photo_size(data: bytes) -> tuple[int, int]:
    """``(height, width)`` after EXIF orientation, from the header alone. Raises as above."""
    with _opened(data) as image:
        turned = _orientation(image) in (5, 6, 7, 8)
        return (image.width, image.height) if turned else (image.height, image.width)


def check_photo(data: bytes) -> tuple[int, int]:
    """``photo_size``, but the whole file is read on the way, and refused where it is damaged.

    A JPEG is decoded at 1/8: every byte of it is read at any scale, and this takes a fifth of the
    time.
    """
    height_width = photo_size(data)
    decode_photo(data, shortest=1)
    return height_width


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """An image whose every complaint becomes one sentence."""
    if not data:
        raise PhotoRejected("The file is empty.")
    if len(data) > MOST_BYTES:
        raise PhotoRejected(f"The file has {len(data) >> 20} MB; {MOST_BYTES >> 20} are allowed.")
    _register_heif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(image)
                yield image
    except PhotoRejected:
        raise
    except UnidentifiedImageError as error:
        raise PhotoRejected(
            "The file is no JPEG, PNG, WebP, TIFF, HEIC or AVIF picture."
        ) from error
    except Image.DecompressionBombError as error:
        raise PhotoRejected("The picture would unpack to far too many pixels.") from error
    except MemoryError as error:
        raise PhotoRejected("The picture needs more memory than there is.") from error
    except Exception as error:  # Pillow's plugins raise whatever their parsers stumble over
        raise PhotoRejected(f"The picture is damaged: {_sentence(error)}.") from error


def _check_size(image: Image.Image) -> None:
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise PhotoRejected(
            f"The picture has {pixels / 1e6:.0f} megapixels; {MOST_PIXELS / 1e6:.0f} are allowed."
        )
    if pixels == 0:
        raise PhotoRejected("The picture has no pixels.")


def _draft(image: Image.Image, shortest: int) -> None:
    """Lets libjpeg decode at a fraction of the size."""
    fraction = min(image.size) // max(shortest, 1)
    if fraction >= 2:
        size = (image.width // fraction, image.height // fraction)
        image.draft("RGB" if image.mode != "L" else "L", size)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _sixteen_bits(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _sixteen_bits(image: Image.Image) -> Image.Image:
    """Grey values of more than 8 bits, scaled by 1/256 where they pass 255."""
    values = np.asarray(image, dtype=np.float64)
    top = float(values.max(initial=0.0))
    if image.mode.startswith("I;16") or top > 255:
        values = values / 257.0
    elif image.mode == "F" and top <= 1.0:
        values = values * 255.0
    return Image.fromarray(np.clip(np.rint(np.nan_to_num(values)), 0, 255).astype(np.uint8))


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(0x0112, 1)
    return value if isinstance(value, int) else 1


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
