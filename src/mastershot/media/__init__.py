"""From a file to frames with exact times.

`probe` describes a file: `opening` opens it, `streams` chooses the film's, `containers` detects
truncation and encryption. `video` is the one decoding pass: pictures from `decoding`, times from
`clock`, missing spans from `gaps`. `pictures` converts frames, `sampling` chooses those to encode.
`reels` reads several files as one film. `stills` are pictures on disk, `films` those of a folder;
`write` makes films.
"""
