"""The ingest service: offered bytes become a photo of a collection."""
