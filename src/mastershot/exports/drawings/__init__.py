"""Drawings as SVG: `film` the lanes of a whole film, `curves` the figures of a training run."""
