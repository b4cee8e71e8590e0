"""Combines several rankings by reciprocal rank fusion: a high rank in several rankings counts more than in one."""

from collections.abc import Sequence

K = 60
"""Dampens the first places: the usual value (Cormack, Clarke and Büttcher, 2009)."""


def fuse_rankings(*rankings: Sequence[str]) -> dict[str, float]:
    """All ids of the rankings with their scores, best first. Each ranking is given best first."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, id_ in enumerate(ranking, 1):
            scores[id_] = scores.get(id_, 0) + 1 / (K + place)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
