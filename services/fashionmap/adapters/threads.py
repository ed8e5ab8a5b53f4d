"""How many threads a process computes with; the same number gives byte-equal masks."""

import os
import sys

SWITCH = 0.0005
"""Seconds after which a thread of Python hands over, by default 0.005: a model makes thousands of
short calls a photo, and each may wait so long for the threads that fetch and write beside it."""


def use_threads(count: int) -> int:
    """Sets torch's and OpenCV's threads (0 takes all cores), and how often Python's take turns.

    Returns the number.
    """
    import cv2
    import torch

    sys.setswitchinterval(SWITCH)
    threads = count or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    return threads
