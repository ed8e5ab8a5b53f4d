"""The explorer: maps in a browser, live over the running system."""
