"""The shards of one run put together to one report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.alike import one_form
from dicecli.records.natural import natural
from dicecli.records.origin import together
from dicecli.records.settings import differences
from dicecli.reports.report import Report
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence


def merged(reports: Sequence[Report]) -> Report:
    """Put the shards of one run together: all cases, in the natural order of their names.

    Raises
    ------
    UsageError
        They were made with different settings, or hold one case twice.
    """
    first = reports[0]
    for other in reports[1:]:
        different = differences(first.settings, other.settings)
        if different:
            raise UsageError(
                f"the reports were made with different settings: {', '.join(different)}",
                "Reports merge when they are shards of one run: the same options for all.",
            )
    every = (each for report in reports for each in report.results)
    results = sorted(every, key=lambda each: natural(each.case.name))
    twice = [name for name, n in Counter(one_form(each.case.name) for each in results).items() if n > 1]
    if twice:
        raise UsageError(
            f"in more than one report there {'is' if len(twice) == 1 else 'are'} "
            f"{counted(len(twice), 'case')}: {', '.join(twice[:5])}",
            "Every case must be scored once. Give each shard its own cases.",
        )
    notes = dict.fromkeys(note for report in reports for note in report.given_notes)
    origin = together(report.origin for report in reports)
    return Report(results, first.settings, notes=tuple(notes), is_batch=True, origin=origin)
