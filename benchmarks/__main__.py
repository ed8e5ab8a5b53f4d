"""``make bench``: all benchmarks, or those named on the command line."""

import sys

from benchmarks import explorer, masks, pipeline, projection, publish, sample, segmentation

ALL = {
    "projection": projection.run,
    "masks": masks.run,
    "segmentation": segmentation.run,
    "sample": sample.run,
    "publish": publish.run,
    "pipeline": pipeline.run,
    "explorer": explorer.run,
}


def main() -> None:
    """Runs and prints."""
    for name in sys.argv[1:] or ALL:
        print(f"\n{name}", flush=True)
        ALL[name]()


if __name__ == "__main__":
    main()
