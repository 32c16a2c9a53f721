"""Films and libraries that we draw, with their truth.

A film is planned before a frame is drawn (`plan`): its `places`, of `indoors` and `outdoors`, with
`colours` and `figures`. Each set-up is painted once on a `canvas` and seen through a moving camera
(`stage`); `films` writes the file. `library` draws many films with metadata, by `themes`; `scales`
draws shots as MovieShots lays them out.
"""
