"""Statistics over cases of the scores of probability maps, of every label and score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.soft_catalogue import SCORES
from dicecli.summary import WORST, RowSummary, Summary, bootstrap, statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.results import Failed
    from dicecli.soft_results import SoftScored
    from dicecli.soft_scores import SoftRow, SoftScores
    from dicecli.softness import Channel


def summarise(
    cases: Sequence[tuple[SoftScored, SoftScores] | Failed], pooled: SoftScores, ranked: str
) -> Summary:
    """Compute the statistics of every label and score, and the cases where `ranked` is worst.

    A case whose map has no channel for a label counts as missing there.
    """
    scored = [each for each in cases if isinstance(each, tuple)]
    groups = [result.case.group for result, _ in scored]
    rows = []
    for row in pooled.rows:
        held = [_of(row.channel, scores) for _, scores in scored]
        there = [each for each in held if each is not None]
        columns = np.array([[each[score.name] for score in SCORES] for each in there], np.float64)
        columns = columns.reshape(len(there), len(SCORES))
        of_groups = [group for group, each in zip(groups, held, strict=True) if each is not None]
        intervals = bootstrap(columns, of_groups) if there else [(math.nan, math.nan)] * len(SCORES)
        missing = len(cases) - len(there)
        metrics = {
            score.name: statistics(columns[:, place], missing, intervals[place], row.values[score.name])
            for place, score in enumerate(SCORES)
        }
        worst = _worst(row, scored, ranked)
        rows.append(RowSummary(row.channel.label, row.channel.name, metrics, worst))
    is_grouped = any(group is not None for group in groups)
    return Summary(tuple(rows), ranked, "group" if is_grouped else "case")


def _of(channel: Channel, scores: SoftScores) -> dict[str, float] | None:
    return next((row.values for row in scores.rows if row.channel == channel), None)


def _worst(
    row: SoftRow, scored: Sequence[tuple[SoftScored, SoftScores]], ranked: str
) -> tuple[tuple[str, float], ...]:
    found = []
    for result, scores in scored:
        values = _of(row.channel, scores)
        if values is not None and not math.isnan(values[ranked]):
            found.append((values[ranked], result.case.name))
    return tuple((name, value) for value, name in sorted(found)[:WORST])
