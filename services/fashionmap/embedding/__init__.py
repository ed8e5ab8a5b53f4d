"""The embedding service: masked cut-outs become vectors and thumbnails."""
