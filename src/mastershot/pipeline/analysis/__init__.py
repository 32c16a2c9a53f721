"""The steps of `analyze`, in order.

`plan` is what to do, loaded once; `workspace` is where results are built; `reuse` decides what of
an earlier run is still valid; `decode_pass` gives shots, pictures and vectors; `annotate` gives
scenes, labels and, by `scale`, shot scales.
"""
