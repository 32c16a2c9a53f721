"""What shots and scenes show and sound like, from what detectors found (METHODS E).

`people` tells who is seen and how close the camera is; `sound` what is heard; `light` describes a
frame in a few numbers, of which, and of the places it may show, `setting` makes indoors or outdoors
and day or night; `headings` writes a scene's heading of that.
"""
