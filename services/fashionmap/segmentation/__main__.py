"""``python -m fashionmap.segmentation`` is ``fashionmap serve segmentation``."""

import sys

from fashionmap.cli.app import main

if __name__ == "__main__":
    sys.argv[1:] = ["serve", "segmentation", *sys.argv[1:]]
    main()
