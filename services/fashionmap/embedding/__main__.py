"""``python -m fashionmap.embedding`` is ``fashionmap serve embedding``."""

import sys

from fashionmap.cli.app import main

if __name__ == "__main__":
    sys.argv[1:] = ["serve", "embedding", *sys.argv[1:]]
    main()
