"""``python -m fashionmap.projection`` is ``fashionmap serve projection``."""

import sys

from fashionmap.cli.app import main

if __name__ == "__main__":
    sys.argv[1:] = ["serve", "projection", *sys.argv[1:]]
    main()
