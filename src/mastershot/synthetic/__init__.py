"""Films and libraries that we draw, with their truth.

A film is planned before a frame is drawn (`plan`). Each set-up, one of the `places` with
`figures` before it, is painted once on a `canvas` and seen through a moving camera (`stage`);
`films` writes the file, `library` many with metadata, `scales` shots laid out as MovieShots is.
The films of `photographs` move a camera over pictures that the caller gives.
"""
