"""``python -m fashionmap.explorer`` is ``fashionmap serve explorer``."""

import sys

from fashionmap.cli.app import main

if __name__ == "__main__":
    sys.argv[1:] = ["serve", "explorer", *sys.argv[1:]]
    main()
