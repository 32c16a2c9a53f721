"""What is seen or heard, by networks that come with the package.

`packaged` is their table. `people` finds faces and persons in frames, between the black bars that
`bars` cuts off, `content` scores sexual content of frames, `sound` scores the sounds of windows.
"""
