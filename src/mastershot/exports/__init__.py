"""A timeline, or a taxonomy, as files for people and other programs: one format a file.

`pages` holds the HTML, `drawings` the SVG. Room is kept for editors' formats.
"""
