"""Editors', players' and annotators' formats: one a file, its writer beside its reader.

`lanes` makes the intervals of a timeline, `timecode` counts as editors do, `catalogue` is the table
of formats that ``mastershot export`` and ``mastershot import`` know; `editors` are edit lists,
`players` chapters and subtitles.
"""
