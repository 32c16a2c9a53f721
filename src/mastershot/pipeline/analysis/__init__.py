"""The steps of `analyze`, in order.

`plan` says what to do and loads it; `reuse` says what of an earlier run still holds; `workspace` is
where results are built; the `decode_pass` gives shots, pictures and vectors; `annotate` gives
scenes, labels and, by `scale`, shot scales.
"""
