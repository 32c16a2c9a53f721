"""What detectors see in a frame, and its place in a vector, so that a feature store keeps it."""
# N boxes, K boxes that are kept

from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray

NUM_KEPT = 8
"""K: boxes of each kind that are kept of a frame, the tallest; of more, only the number is."""

BOX_WIDTH = 5  # left, top, right, bottom, score
SIGHTING_WIDTH = 2 + 2 * NUM_KEPT * BOX_WIDTH


@dataclass(frozen=True, eq=False)
class Sighting:
    """The faces and persons of one frame.

    Attributes:
        num_faces: How many faces there are.
        num_persons: How many persons.
        faces: The tallest faces, tallest first, shape (N, 5): left, top, right and bottom as
            shares of the frame's width and height, in [0, 1], and the detector's score.
        persons: The tallest persons likewise.
    """

    num_faces: int
    num_persons: int
    faces: FloatArray
    persons: FloatArray

    def vector(self) -> FloatArray:
        """Return the sighting as a vector, shape (`SIGHTING_WIDTH`,); absent boxes are zeros."""
        vector = np.zeros(SIGHTING_WIDTH, np.float32)
        vector[:2] = self.num_faces, self.num_persons
        kept = vector[2:].reshape(2, NUM_KEPT, BOX_WIDTH)
        kept[0, : len(self.faces)] = self.faces
        kept[1, : len(self.persons)] = self.persons
        return vector


def sighting_of_boxes(faces: FloatArray, persons: FloatArray) -> Sighting:
    """Return the sighting of all boxes of a frame, each (N, 5) as in `Sighting`, in any order."""
    return Sighting(len(faces), len(persons), _tallest(faces), _tallest(persons))


def sighting_of_vector(vector: FloatArray) -> Sighting:
    """Return what `Sighting.vector` kept."""
    faces, persons = vector[2:].reshape(2, NUM_KEPT, BOX_WIDTH)
    # The score of a box is above 0.
    return Sighting(
        int(vector[0]), int(vector[1]), faces[faces[:, 4] > 0], persons[persons[:, 4] > 0]
    )


def heights(boxes: FloatArray) -> FloatArray:
    """Return the height of each box as a share of the frame's, shape (N,)."""
    return boxes[:, 3] - boxes[:, 1]


def _tallest(boxes: FloatArray) -> FloatArray:
    return boxes[np.argsort(-heights(boxes), kind="stable")[:NUM_KEPT]]
