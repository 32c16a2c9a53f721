"""What detectors see in a frame, and its place in a vector, so that a feature store keeps it."""
# N boxes, K boxes that are kept

from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray

NUM_KEPT = 8
"""K: boxes of each kind that are kept of a frame, the tallest; of more, only the number is."""

BOX_WIDTH = 5  # left, top, right, bottom, score
SIGHTING_WIDTH = 3 + 2 * NUM_KEPT * BOX_WIDTH


@dataclass(frozen=True, eq=False)
class Sighting:
    """The faces and persons of one frame.

    Attributes:
        num_faces: How many faces there are.
        num_persons: How many persons.
        faces: The tallest faces, tallest first, shape (N, 5): left, top, right and bottom as
            shares of the picture's width and height, in [0, 1], and the detector's score.
        persons: The tallest persons likewise.
        picture: What black bars above and below it leave of the frame's height, in (0, 1].
    """

    num_faces: int
    num_persons: int
    faces: FloatArray
    persons: FloatArray
    picture: float = 1.0

    def vector(self) -> FloatArray:
        """Return the sighting as a vector, shape (`SIGHTING_WIDTH`,); absent boxes are zeros."""
        vector = np.zeros(SIGHTING_WIDTH, np.float32)
        vector[:3] = self.num_faces, self.num_persons, self.picture
        kept = vector[3:].reshape(2, NUM_KEPT, BOX_WIDTH)
        kept[0, : len(self.faces)] = self.faces
        kept[1, : len(self.persons)] = self.persons
        return vector


def sighting_of_boxes(faces: FloatArray, persons: FloatArray, picture: float = 1.0) -> Sighting:
    """Return the sighting of all boxes of a frame, each (N, 5) as in `Sighting`, in any order."""
    return Sighting(len(faces), len(persons), _tallest(faces), _tallest(persons), picture)


def sighting_of_vector(vector: FloatArray) -> Sighting:
    """Return what `Sighting.vector` kept."""
    faces, persons = vector[3:].reshape(2, NUM_KEPT, BOX_WIDTH)
    # The score of a box is above 0.
    kept = faces[faces[:, 4] > 0], persons[persons[:, 4] > 0]
    return Sighting(int(vector[0]), int(vector[1]), *kept, float(vector[2]))


def heights(boxes: FloatArray) -> FloatArray:
    """Return the height of each box as a share of the picture's, shape (N,)."""
    return boxes[:, 3] - boxes[:, 1]


def _tallest(boxes: FloatArray) -> FloatArray:
    return boxes[np.argsort(-heights(boxes), kind="stable")[:NUM_KEPT]]
