"""The explorer: a map folder or a running system as a web page."""
