"""fashionMap: outfit photographs in, a map of clothes out."""

__version__ = "0.1.0"
