"""Bytes to pixels: every mode and every kind of damage."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from fashionmap.adapters.photo_decoder import PhotoDecoder, check_photo, decode_photo, photo_size
from fashionmap.errors import PhotoRejected


def encoded(image: Image.Image, kind: str, **settings: object) -> bytes:
    sink = io.BytesIO()
    image.save(sink, kind, **settings)
    return sink.getvalue()


RED = Image.new("RGB", (40, 30), (250, 10, 20))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_given_an_allowed_format_when_decoded_then_it_is_rgb(kind: str) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    pixels = decode_photo(encoded(RED, kind))
    assert pixels.shape == (30, 40, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.reshape(-1, 3).mean(0) - (250, 10, 20)).max() < 12


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGBA", (20, 20), (0, 0, 0, 0)), 255),
        (Image.new("LA", (20, 20), (0, 0)), 255),
        (Image.new("L", (20, 20), 80), 80),
        (Image.new("1", (20, 20), 1), 255),
        (Image.new("P", (20, 20), 0), 0),
        (Image.fromarray(np.full((20, 20), 128 * 257, np.uint16)), 128),
    ],
    ids=["alpha", "grey alpha", "grey", "bits", "palette", "16 bit"],
)
def test_given_an_odd_mode_when_decoded_then_it_becomes_rgb(
    image: Image.Image, expected: int
) -> None:
    pixels = decode_photo(encoded(image, "PNG"))
    assert pixels.shape == (20, 20, 3)
    assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_given_cmyk_when_decoded_then_it_becomes_rgb() -> None:
    pixels = decode_photo(encoded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG"))
    assert pixels[..., 0].mean() > 200 > 60 > pixels[..., 1].mean()


def test_given_an_exif_orientation_when_decoded_then_the_photo_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(RED, "JPEG", exif=exif)
    assert photo_size(data) == (40, 30)
    assert decode_photo(data).shape == (40, 30, 3)


def test_given_an_animation_when_decoded_then_the_first_frame_counts() -> None:
    blue = Image.new("RGB", (40, 30), (10, 20, 250))
    data = encoded(RED, "WEBP", save_all=True, append_images=[blue], lossless=True)
    assert decode_photo(data)[0, 0, 0] > 200


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"hello", "no JPEG"),
        (encoded(RED, "JPEG")[:400], "damaged"),
        (encoded(RED, "GIF"), "no JPEG"),
    ],
    ids=["empty", "text", "truncated", "gif"],
)
def test_given_no_photo_when_decoded_then_one_sentence_says_why(data: bytes, word: str) -> None:
    with pytest.raises(PhotoRejected, match=word) as caught:
        decode_photo(data)
    assert "\n" not in str(caught.value)


def test_given_a_bomb_when_decoded_then_it_is_refused_by_its_header() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 1_000_000
    with pytest.raises(PhotoRejected, match="pixels"):
        decode_photo(bomb)


def test_given_100_megapixels_when_worked_on_then_they_are_reduced() -> None:
    data = encoded(Image.new("RGB", (11_600, 8_700), (90, 60, 30)), "JPEG", quality=30)
    decoder = PhotoDecoder()
    assert decoder.size(data) == (8_700, 11_600)
    pixels = decoder.pixels(data)
    assert 800 <= min(pixels.shape[:2]) < 1600


def test_given_one_pixel_when_decoded_then_it_comes_through() -> None:
    assert decode_photo(encoded(Image.new("RGB", (1, 1)), "PNG")).shape == (1, 1, 3)


def test_given_the_hostile_set_when_decoded_then_all_is_pixels_or_a_sentence(shared) -> None:
    """What Pillow itself decodes with the allowed formats must come through."""
    import warnings

    from fashionmap.adapters.photo_decoder import FORMATS, MOST_PIXELS

    for path in sorted((shared / "data" / "hostile-images").iterdir()):
        data = path.read_bytes()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                    image.load()
            readable = image.width * image.height <= MOST_PIXELS
        except Exception:
            readable = False
        if readable:
            assert decode_photo(data).shape[2] == 3, path.name
            continue
        with pytest.raises(PhotoRejected, match=r"\.$"):
            decode_photo(data)
        with pytest.raises(PhotoRejected, match=r"\.$"):
            check_photo(data)


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_given_a_jpeg_cut_or_broken_anywhere_when_checked_then_it_is_refused_as_when_decoded(
    progressive: bool,
) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (165, 110, 3), np.uint8)
    whole = encoded(Image.fromarray(noise), "JPEG", quality=90, progressive=progressive)
    assert check_photo(whole) == (165, 110)
    ends = range(0, len(whole), len(whole) // 40)
    cut = [whole[:end] for end in ends]
    broken = [whole[:end] + b"\xff\xd9" + whole[end + 2 :] for end in ends if end > 0]
    refused = [outcome(check_photo, data) for data in cut + broken]
    assert refused == [outcome(decode_photo, data) for data in cut + broken]
    assert refused.count("") < len(refused)


def outcome(act: Callable[[bytes], object], data: bytes) -> str:
    """The sentence of a refusal, or nothing."""
    try:
        act(data)
    except PhotoRejected as error:
        return str(error)
    return ""
