"""Training of garment segmenters."""
