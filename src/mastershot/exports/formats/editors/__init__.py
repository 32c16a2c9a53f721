"""Editors' formats: shots with the transitions between them, and markers beside.

`edits` makes both of a timeline, `placing` finds where those of a file lie in the film; then one
format a file.
"""
