"""The projection service: vectors become a map."""
