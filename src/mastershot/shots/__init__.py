"""Shots: where a film cuts, found by a detector or read from a list."""
