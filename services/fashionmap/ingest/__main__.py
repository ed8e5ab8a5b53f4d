"""``python -m fashionmap.ingest`` is ``fashionmap serve ingest``."""

import sys

from fashionmap.cli.app import main

if __name__ == "__main__":
    sys.argv[1:] = ["serve", "ingest", *sys.argv[1:]]
    main()
