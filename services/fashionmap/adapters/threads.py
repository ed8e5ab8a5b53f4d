"""How many threads a process computes with, and what each of them does."""

import os
import sys

SWITCH = 0.0005
"""Seconds after which a thread of Python hands over, by default 0.005: a model makes thousands of
short calls a photo, and each may wait so long for the threads that fetch and write beside it."""


class _Shared:
    """As torch's own number of threads, this is the process's."""

    photos = 1


def use_threads(count: int, *, photos: bool = False) -> int:
    """Sets torch's and OpenCV's threads (0 takes all cores), and how often Python's take turns.

    With ``photos`` every photo is one thread's work, and as many are worked on at once: a small
    model's convolutions are too short to share, and what a photo gives does not depend on the
    number. Without, all threads compute one convolution together, as training wants it.

    Returns the number.
    """
    import cv2
    import torch

    sys.setswitchinterval(SWITCH)
    threads = count or len(os.sched_getaffinity(0))
    _Shared.photos = threads if photos else 1
    torch.set_num_threads(1 if photos else threads)
    cv2.setNumThreads(1)
    return threads


def photos_at_once(device: str) -> int:
    """How many photos a model on that device works on at once; a GPU is shared by one."""
    return _Shared.photos if device == "cpu" else 1
