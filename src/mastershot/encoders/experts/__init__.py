"""What experts of genres compute: `students` of frames, `flow` of motion; sound is in `detectors`.

`kept` keeps a trailer's vectors in a file, and reads vectors that were computed elsewhere.
"""
