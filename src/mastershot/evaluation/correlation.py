"""Correlation of scores and truth within each sample."""
# N samples, C classes

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.evaluation.bootstrap import BoolArray, RealArray


def sample_correlations(scores: RealArray | FloatArray, truth: BoolArray) -> RealArray:
    """Return Pearson's correlation of scores and truth over the classes of each sample, (N,).

    It is NaN where the truth is constant, and 0 where only the scores are: they distinguish
    nothing. Of `row_ranks` instead of scores it is Spearman's.
    """
    one = scores.astype(np.float64)
    other = truth.astype(np.float64)
    constant = (scores == scores[:, :1]).all(axis=1)
    one -= one.mean(axis=1, keepdims=True)
    other -= other.mean(axis=1, keepdims=True)
    norms = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    products = (one * other).sum(axis=1)
    correlations = np.zeros(len(norms))
    np.divide(products, norms, out=correlations, where=(norms > 0) & ~constant)
    correlations[truth.all(axis=1) | ~truth.any(axis=1)] = np.nan
    return correlations


def row_ranks(scores: FloatArray) -> RealArray:
    """Return the rank of each score in its row, from 0; equal scores share their mean rank."""
    order = np.argsort(scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    places = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    differs = ordered[:, 1:] != ordered[:, :-1]
    edge = np.ones((len(scores), 1), np.bool_)
    starts = np.where(np.hstack([edge, differs]), places, 0)
    ends = np.where(np.hstack([differs, edge]), places, scores.shape[1])
    first = np.maximum.accumulate(starts, axis=1)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, order, (first + last) / 2, axis=1)
    return ranks
