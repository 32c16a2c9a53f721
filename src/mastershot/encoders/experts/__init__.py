"""What experts of genres compute: `students` of frames, `flow` of motion, `spectrograms` of
sound, where AST is named; YAMNet is in `detectors`.

`kept` keeps a trailer's vectors in a file, and reads vectors that were computed elsewhere.
"""
