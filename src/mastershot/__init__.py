"""Mastershot turns films into knowledge; these names are public and load what they need late."""

__version__ = "0.1.0"
