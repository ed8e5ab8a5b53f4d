"""Training of garment embedders."""
