"""What commands do, from files in to files out.

`analyze` is the main path; its steps are in `analysis`. `split` does it for a file of several
films, whose timeline `parts` divides. A `library` keeps analysed films, `search` answers queries to
it. `labelling` makes data sets, `taxonomy` makes label sets, `features` makes vectors of a
library's shots, `genres` finds sub-genres of trailers. `doctor` checks the machine. Room is kept
for `align` (script and film) and `bulk` (a cluster).
"""
