"""Several rankings as one, by reciprocal rank fusion: high in any of them is high, high in several is higher."""

from collections.abc import Sequence

K = 60
"""Dampens the first places: the usual value (Cormack, Clarke and Büttcher, 2009)."""


def fuse_rankings(*rankings: Sequence[str]) -> dict[str, float]:
    """Every id of the rankings, each given best first, with its score, best first."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, id_ in enumerate(ranking, 1):
            scores[id_] = scores.get(id_, 0) + 1 / (K + place)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
