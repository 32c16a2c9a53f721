"""Where results are kept.

A `library` is a `folder` of `tables` on `lance`: each analysis is a `run`, vectors are `features`;
`reading` goes across films, `verify` finds what is wrong. `shot_arrays` hold what training reads.
`files` is one writer at a time.
"""
