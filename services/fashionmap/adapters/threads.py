"""How many threads a process computes with; the same number gives byte-equal masks."""

import os


def use_threads(count: int) -> int:
    """Sets torch's and OpenCV's threads; 0 takes all cores. Returns the number."""
    import cv2
    import torch

    threads = count or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    return threads
