"""Converters of public data sets into one form, and checks of that form."""
