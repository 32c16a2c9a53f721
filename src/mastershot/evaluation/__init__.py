"""How good results are: `metrics`, `tagging`, `agreement` of raters, `reliability` of labels.

`tagging` rests on the average `precision` of classes. `bootstrap` gives the intervals of all of
them; `cutting` describes a film's shot lengths and rate.
"""
