"""Data sets: drawn films whose truth is known."""
