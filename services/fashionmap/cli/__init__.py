"""The fashionmap command, one module a command group."""
