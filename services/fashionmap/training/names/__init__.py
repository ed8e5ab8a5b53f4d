"""Training of the network that gives a second opinion on names."""
