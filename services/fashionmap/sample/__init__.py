"""Drawn street looks with exact ground truth: the demo, the tests' data, the load tests' supply."""
