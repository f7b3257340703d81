"""Statistics over cases of the scores of probability maps, of every label and score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.metrics._soft.catalogue import SCORES
from dicecli.reports import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row
    from dicecli.reports.soft.rows import SoftScores


def summarise(
    scored: Sequence[tuple[Scored, SoftScores]], pooled: SoftScores, ranked: str, expected: int
) -> summary.Summary:
    """Compute the statistics of every label and score, and the cases where `ranked` is worst.

    A case whose map has no channel for a label counts as missing there.
    """
    names = [each.name for each in SCORES]
    columns = []
    for row in pooled.rows:
        held = [(place, _of(row.channel, scores)) for place, (_, scores) in enumerate(scored)]
        there = {place: values for place, values in held if values is not None}
        table = np.array([[values[name] for name in names] for values in there.values()], np.float64)
        columns.append(
            summary.Columns(
                row.channel.label,
                row.channel.name,
                tuple(there),
                table.reshape(len(there), len(names)),
                tuple(row.values[name] for name in names),
            )
        )
    cases = [result.case for result, _ in scored]
    return summary.summarise(columns, names, cases, expected=expected, ranked=ranked)


def _of(channel: Row, scores: SoftScores) -> dict[str, float] | None:
    return next((row.values for row in scores.rows if row.channel == channel), None)
