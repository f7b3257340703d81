"""Which metrics a report has: those of its rows, those that are shown, those of all labels at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import every_of, resolve
from dicecli.statistics._leading import taken_as

if TYPE_CHECKING:
    from dicecli.metrics._metric import Metric
    from dicecli.records.settings import Settings


@dataclass(frozen=True)
class Chosen:
    """The metrics of a report, as they are in the catalogue.

    Attributes
    ----------
    rows : tuple of Metric
        Of each label and region.
    listed : tuple of Metric
        Those of them that rows of all cases have, and the table of one case alone.
    shown : tuple of Metric
        Those that tables of many cases have.
    overall : tuple of Metric
        Of all labels at once.
    """

    rows: tuple[Metric, ...]
    listed: tuple[Metric, ...]
    shown: tuple[Metric, ...]
    overall: tuple[Metric, ...]

    @property
    def has_lengths(self) -> bool:
        """Whether any of them is a length."""
        return any(each.unit is not None for each in self.rows)


def chosen(settings: Settings) -> Chosen:
    """Return the metrics of a report: those asked for, else all of the leading statistic.

    Those of all labels at once are there whatever was asked for.

    Raises
    ------
    UnknownName
    """
    own = [each for each in every_of(settings.reads) if each.of == taken_as(settings.reads)]
    overall = [each for each in own if each.takes == "every"]
    if settings.metrics is None:
        rows = tuple(each for each in own if each.takes == "row")
        listed = tuple(each for each in rows if each.shown != "asked")
        return Chosen(rows, listed, tuple(each for each in rows if each.shown == "always"), tuple(overall))
    asked = dict.fromkeys(resolve(name) for name in settings.metrics)
    rows = tuple(each for each in asked if each.takes == "row")
    more = (each for each in asked if each.takes == "every" and each not in overall)
    return Chosen(rows, rows, rows, (*overall, *more))


def first_of(reads: str) -> str:
    """Return the name of the metric that comes first in runs that read labels, or probabilities."""
    return next(each.name for each in every_of(reads) if each.shown == "always")
