"""How good results are: `metrics`, `agreement` of raters, `reliability` of labels.

`bootstrap` gives the intervals of all of them; `cutting` describes a film's shot lengths and rate.
"""
