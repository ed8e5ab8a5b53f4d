"""``python -m fashionmap`` is the ``fashionmap`` command."""

from fashionmap.cli.app import main

if __name__ == "__main__":
    main()
