"""Lists of where films cut, to compare with, one reader a format; `read` tells them apart.

All give a `boundary.BoundaryList`. `shot_lines` reads the text files of BBC Planet Earth, RAI,
OVSD, AutoShot, MovieNet and TransNetV2, `clipshots` the JSON of ClipShots, `shots_csv` our own
table, `timelines` our timelines and the lanes in them.
"""
