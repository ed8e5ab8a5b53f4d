"""Messages and services, generated from protos/ by `make proto`."""
