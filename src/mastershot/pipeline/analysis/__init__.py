"""The steps of `analyze`, in order.

`plan` is what to do, loaded once, with the `labeller` of words; `workspace` is where results are
built; `reuse` decides what of an earlier run is still valid; `decode_pass` gives shots and
pictures, what is stored of frames and clips, and by `sound` what is heard; `annotate` reads that
through `stored` and gives scenes, by `people` who is seen, by one of `scale` and `people` shot
scales, labels (by words, or by `recognise`), by `headings` settings, times of day and headings, and
by `genres` the film's genres and relatives. `trained` finds the encoders that trained networks
need.
"""
