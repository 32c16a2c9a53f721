"""A timeline as the files that people and other programs read."""
