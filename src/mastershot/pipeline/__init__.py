"""What commands do, from files in to files out.

`analyze` is the main path; its steps are in `analysis`. `labelling` makes data sets, `taxonomy`
makes label sets, `search` answers questions about a `library`. `doctor` looks at the machine. Room
is kept for `align` (script and film) and `bulk` (a cluster).
"""
