"""What experts of genres compute: `students` of frames, `flow` of motion, `spectrograms` of
sound, where AST is named, and `vggish`; YAMNet is in `detectors`. `published` is the table of
networks that do not ship and can be experts.

`kept` keeps a trailer's vectors in a file, and reads vectors that were computed elsewhere.
"""
