"""Who is seen in shots, and how close the camera is, from what detectors found in their frames."""
# S shots

from collections import defaultdict
from dataclasses import replace

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, IntArray
from mastershot.core.movie import SCALES, Movie, People, Shot
from mastershot.core.people import sighting_of_vector
from mastershot.core.protocols import Encoder, FeatureStore
from mastershot.core.timeline import Json
from mastershot.encoders.detectors.packaged import PackagedNetwork
from mastershot.labelling.perception.people import (
    people_of_parts,
    people_seen,
    scale_of_votes,
    scale_votes,
)
from mastershot.pipeline.analysis.stored import frames_of, sampled_blocks


def see_people(
    movie: Movie,
    shots: tuple[Shot, ...],
    space: EmbeddingSpace,
    store: FeatureStore,
    *,
    with_scale: bool,
) -> tuple[Shot, ...]:
    """Return the shots with the people who are seen in their sampled frames.

    With ``with_scale`` they also get the shot scale that heights of faces and persons tell. The
    sightings of one block of frames are in memory at a time, however long a shot is.
    """
    aspect = float(movie.width_px * movie.sample_aspect_ratio / movie.height_px)
    people: dict[int, People] = {}
    votes: dict[int, IntArray] = defaultdict(lambda: np.zeros(len(SCALES), np.int64))
    for block in sampled_blocks(shots):
        vectors = store.get(space, frames_of(block)).vectors
        ends = np.cumsum([len(piece.frames) for piece in block])
        for piece, part in zip(block, np.split(vectors, ends[:-1]), strict=True):
            sightings = [sighting_of_vector(vector) for vector in part]
            seen = people_seen(sightings)
            people[piece.shot] = people_of_parts(people.get(piece.shot, seen), seen)
            votes[piece.shot] += scale_votes(sightings, aspect)
    found = tuple(replace(shot, people=people[index]) for index, shot in enumerate(shots))
    if not with_scale:
        return found
    scales = [scale_of_votes(votes[index]) for index in range(len(shots))]
    return tuple(
        shot if scale is None else replace(shot, scale=scale, scale_by="people")
        for shot, scale in zip(found, scales, strict=True)
    )


def detector_made(detector: Encoder, *networks: PackagedNetwork) -> Json:
    """Return what a timeline keeps of how a detector looked at frames."""
    return {
        "model": ", ".join(network.alias for network in networks),
        "weights_hash": detector.space.weights_hash,
    }
