"""The record of a run over probability maps: the scores of each case, and of all cases pooled."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dicecli.metrics._soft import thresholds
from dicecli.metrics._soft.numbers import overall, scores_of
from dicecli.plugins import load
from dicecli.records.cases import Failed, Scored
from dicecli.records.counts import Counts
from dicecli.records.measurements import IMAGE
from dicecli.reports.notes import run_notes
from dicecli.reports.soft.averages import macro
from dicecli.reports.soft.rows import SoftRow, SoftScores
from dicecli.statistics.soft.sums import ChannelSums, SoftSums, pooled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pandas import DataFrame

    from dicecli.metrics._soft.thresholds import Curve
    from dicecli.records.measurements import Row
    from dicecli.records.settings import Settings
    from dicecli.records.softness import Softness
    from dicecli.reports.summary import Summary

#: The averages of a case, with their definitions.
AVERAGES = {
    "macro": "the score per label, mean over labels; its best threshold is one for all labels",
    "micro": "pool the sums over labels, then the score",
}
#: The same of a run.
AVERAGES_OF_RUN = {
    "macro": "pool the sums over cases per label, the score per label, mean over labels",
    "micro": "pool the sums over cases and labels, then the score",
}


class SoftReport:
    """One record of a run over probability maps, which exporters render.

    Parameters
    ----------
    results : sequence of Scored or Failed
        One for every expected case, in order.
    settings : Settings
    notes : sequence of str
        On the run as a whole.
    is_batch : bool, optional
        Whether to sum up; by default where there are several cases.
    """

    def __init__(
        self,
        results: Sequence[Scored | Failed],
        settings: Settings,
        *,
        notes: Sequence[str] = (),
        is_batch: bool | None = None,
    ) -> None:
        if settings.soft is None:
            raise ValueError("these settings are for masks")
        self.results = tuple(results)
        self.settings = settings
        self.softness: Softness = settings.soft
        self._notes = tuple(notes)
        self.is_batch = len(self.results) != 1 if is_batch is None else is_batch
        self.verdicts: tuple[Any, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the whole record as JSON's types: undefined is None, numbers have full precision."""
        record: dict[str, Any] = load("exporters", "json").record(self)
        return record

    def to_pandas(self) -> DataFrame:
        """Return the rows of the CSV as a data frame: one per case and label, and per average."""
        frame: DataFrame = load("exporters", "csv").frame(self)
        return frame

    @property
    def scored(self) -> tuple[Scored, ...]:
        """The cases that were scored."""
        return tuple(each for each in self.results if isinstance(each, Scored))

    @property
    def failed(self) -> tuple[Failed, ...]:
        """The cases that could not be scored."""
        return tuple(each for each in self.unscored if each.status == "failed")

    @property
    def unscored(self) -> tuple[Failed, ...]:
        """Every case without numbers: failed, left out for want of a prediction, or not reached."""
        return tuple(each for each in self.results if isinstance(each, Failed))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Notes on the run as a whole: those given, and what the notes on the cases add up to."""
        return tuple(dict.fromkeys((*self._notes, *self.made_notes)))

    @cached_property
    def made_notes(self) -> tuple[str, ...]:
        """What the notes on the cases add up to; nothing where there is one case, which says it itself."""
        return tuple(run_notes(self.scored, len(self.results))) if self.is_batch else ()

    def number(self, status: str) -> int:
        """Return how many cases have a status: scored, failed, missing or pending."""
        return sum(each.status == status for each in self.results)

    def cases(self) -> Iterator[tuple[Scored, SoftScores] | Failed]:
        """Yield every case with its numbers, computed as it is asked for."""
        for each in self.results:
            yield each if isinstance(each, Failed) else (each, self.scores(channels_of(each), sums_of(each)))

    def scores(self, channels: Sequence[Row], sums: SoftSums) -> SoftScores:
        """Compute every number from the sums of some channels."""
        hard = _argmax(channels, sums)
        labels: list[SoftRow] = []
        regions: list[SoftRow] = []
        others: list[SoftRow] = []
        pools: list[Counts] = []
        for channel, each, counts in zip(channels, sums.channels, hard, strict=True):
            row = SoftRow(channel, each, scores_of(each, counts, self.softness))
            is_evaluated = self._is_evaluated(channel)
            (regions if self.softness.is_sum(channel) else labels if is_evaluated else others).append(row)
            pools += [counts] if is_evaluated and channel.kind == "label" and counts is not None else []
        means, undefined = macro(
            [row.values for row in labels],  # noqa: PD011 - no frame
            [row.sums for row in labels],
            has_argmax=sums.joint is not None,
        )
        of_pool = Counts(*map(sum, zip(*pools, strict=True))) if pools else None
        together = scores_of(pooled(row.sums for row in labels), of_pool, self.softness) if labels else {}
        loss = means.get(f"loss_{self.softness.form}", math.nan)
        return SoftScores(
            labels=tuple(labels),
            regions=tuple(regions),
            others=tuple(others),
            averages={"macro": means, "micro": together},
            undefined=undefined,
            overall=overall(sums, [row.sums for row in labels], loss, self.softness),
        )

    @cached_property
    def channels(self) -> tuple[Row, ...]:
        """Every channel of the run, in the order in which they were first met."""
        return tuple(dict.fromkeys(channel for each in self.scored for channel in channels_of(each)))

    @cached_property
    def pooled(self) -> SoftScores:
        """The numbers of all cases pooled, as if their pixels were those of one."""
        found = {channel: ChannelSums.zero() for channel in self.channels}
        joint = None
        for each in self.scored:
            for channel, sums in zip(channels_of(each), sums_of(each).channels, strict=True):
                found[channel] += sums
        if self.scored and all(channels_of(each) == self.channels for each in self.scored):
            joints = [sums_of(each).joint for each in self.scored]
            joint = joints[0]
            for other in joints[1:]:
                joint = None if joint is None or other is None else joint + other
        return self.scores(self.channels, SoftSums(tuple(found.values()), joint))

    @property
    def shown(self) -> tuple[str, ...]:
        """The scores whose statistics over cases tables show."""
        hard = "dice_argmax" if self.pooled.has_argmax else "dice_at_half"
        return (f"soft_dice_{self.softness.form}", hard, "dice_best", "average_precision")

    @cached_property
    def summary(self) -> Summary:
        """The statistics over cases of every label and score."""
        from dicecli.reports.soft.summary import summarise

        scored = [each for each in self.cases() if not isinstance(each, Failed)]
        return summarise(scored, self.pooled, self.shown[0], len(self.results))

    def curves(self) -> dict[str, Curve]:
        """Return the curve of each evaluated label over all cases, and ``micro``, of the labels pooled."""
        found = {row.channel.title: thresholds.curve(row.sums) for row in self.pooled.rows}
        return found | {"micro": thresholds.curve(pooled(row.sums for row in self.pooled.labels))}

    def _is_evaluated(self, channel: Row) -> bool:
        scheme = self.settings.labels
        if channel.label is None:
            return True
        is_left_out = channel.label == scheme.background and not self.settings.include_background
        return not is_left_out and channel.label not in scheme.ignore


def channels_of(result: Scored) -> tuple[Row, ...]:
    """Return what the channels of a case are, then its regions that are sums of them."""
    return tuple(row for row in result.measured["soft"] if row.kind != "image")


def sums_of(result: Scored) -> SoftSums:
    """Return the sums of those, and of all of them together where they exclude each other."""
    rows = result.measured["soft"]
    return SoftSums(tuple(rows[row] for row in channels_of(result)), rows.get(IMAGE))


def _argmax(channels: Sequence[Row], sums: SoftSums) -> list[Counts | None]:
    if sums.joint is None:
        return [None] * len(channels)
    matrix = sums.joint.confusion([each.members[0] for each in channels if each.kind == "label"])
    return [matrix.counts(each.members) for each in channels]
