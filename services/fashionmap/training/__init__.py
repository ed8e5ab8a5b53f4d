"""Data sets, training and evaluation of segmenters and embedders."""
