"""Editors' formats: shots with the transitions between them, and markers beside.

`sources` are the files that a film lies in, `edits` makes an edit list of a timeline; `matching`
finds which file an event that is read is of, `placing` where it lies in the film; then one format a
file.
"""
