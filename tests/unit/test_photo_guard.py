"""Decoding in a process of its own."""

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from fashionmap.adapters.photo_guard import GuardedDecoder
from fashionmap.errors import PhotoRejected


def encoded(width: int, height: int) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), (90, 60, 30)).save(sink, "PNG")
    return sink.getvalue()


@pytest.fixture
def guard() -> Iterator[GuardedDecoder]:
    decoder = GuardedDecoder(seconds=30, megabytes=1500)
    yield decoder
    decoder.close()


def test_given_photos_when_decoded_in_the_child_then_sizes_and_sentences_come_back(guard) -> None:
    assert guard.size(encoded(30, 20)) == (20, 30)
    with pytest.raises(PhotoRejected, match="empty"):
        guard.size(b"")
    with pytest.raises(PhotoRejected, match="no JPEG"):
        guard.size(b"no picture")
    assert guard.size(encoded(3, 2)) == (2, 3)


def test_given_a_child_that_is_killed_when_asked_then_another_one_answers(guard) -> None:
    assert guard.size(encoded(30, 20)) == (20, 30)
    os.kill(guard._child.pid, signal.SIGKILL)
    assert guard.size(encoded(31, 20)) == (20, 31)


def test_given_a_picture_that_takes_too_long_when_decoded_then_it_is_refused_and_work_goes_on(
    guard,
) -> None:
    guard.size(encoded(30, 20))
    os.kill(guard._child.pid, signal.SIGSTOP)  # a decoder that makes no headway
    guard._seconds = 0.5
    with pytest.raises(PhotoRejected, match="more than 0 seconds"):
        guard.size(encoded(30, 20))
    guard._seconds = 30
    assert guard.size(encoded(30, 20)) == (20, 30)


def test_given_a_picture_beyond_the_memory_when_decoded_then_it_is_refused(tmp_path: Path) -> None:
    small = GuardedDecoder(seconds=60, megabytes=200)
    with pytest.raises(PhotoRejected, match=r"memory|damaged|breaks"):
        small.size(encoded(11_000, 9_000))
    assert small.size(encoded(30, 20)) == (20, 30)
    small.close()
