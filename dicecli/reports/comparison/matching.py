"""The cases that a run and its baseline both scored, and what is to be said of the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING

from dicecli.errors import GateError
from dicecli.records.alike import difference, look, one_form
from dicecli.records.natural import natural
from dicecli.records.options import table_of
from dicecli.records.settings import CALLED, AnyOptions, differences
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicecli.records.cases import Scored
    from dicecli.reports.report import Report

NAMED_CASES = 5
#: Settings by which numbers that are compared do not differ, beside those that measure something more.
_NO_MATTER = {"labels", "metrics", "device", "like", "average", "group_by"}


@dataclass(frozen=True)
class Matched:
    """The cases of a run and of its baseline, matched by their names.

    Attributes
    ----------
    new, old : tuple of Scored
        Those that both scored, of the run and of the baseline, in one order.
    only_new, only_old : tuple of str
        The names of those that one alone scored.
    settings : tuple of str
        The settings in which the two differ, and by which numbers may; ``within`` where fields do.
    """

    new: tuple[Scored, ...]
    old: tuple[Scored, ...]
    only_new: tuple[str, ...]
    only_old: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def facts(self) -> list[str]:
        """What people want to know beside the numbers: how many cases, which are left out, other settings."""
        found = [counted(len(self.new), "shared case")]
        found += [f"only in the baseline: {_some(self.only_old)}"] * bool(self.only_old)
        found += [f"only in this run: {_some(self.only_new)}"] * bool(self.only_new)
        return found + self.other_settings

    @property
    def other_settings(self) -> list[str]:
        """What is said of other settings; nothing where there are none."""
        return [f"other settings than the baseline: {', '.join(self.settings)}"] * bool(self.settings)


def match(report: Report, baseline: Report) -> Matched:
    """Match the cases of a report with those of an earlier one.

    Raises
    ------
    GateError
        One is of masks and the other of maps, they share no case, or two cases have one name.
    """
    if report.settings.reads != baseline.settings.reads:
        mine, others = CALLED[report.settings.reads], CALLED[baseline.settings.reads]
        raise GateError(
            f"the baseline is of {others}, and this run of {mine}", f"Give as a baseline results of {mine}."
        )
    here, there = _by_name(report, "this run"), _by_name(baseline, "the baseline")
    shared = [name for name in here if name in there]
    if not shared:
        alike = {look(name): name for name in there}
        pair = next(((name, alike[look(name)]) for name in here if look(name) in alike), None)
        how = f": '{pair[0]}' and '{pair[1]}' differ {difference(*pair)}" if pair else ""
        raise GateError(
            f"no case was scored both in this run ({_some(here)}) and in the baseline ({_some(there)}){how}",
            "Cases are matched by their names. Give the baseline of the same cases.",
        )
    pairs = [(here[name], there[name]) for name in shared]
    other = [
        *differences(report.settings, baseline.settings),
        *["within"] * any(starmap(_other_field, pairs)),
    ]
    no_matter = _NO_MATTER | {each.name for each in table_of(AnyOptions).values() if each.measures}
    return Matched(
        tuple(here[name] for name in shared),
        tuple(there[name] for name in shared),
        tuple(sorted(here.keys() - there.keys(), key=natural)),
        tuple(sorted(there.keys() - here.keys(), key=natural)),
        tuple(key for key in other if key not in no_matter),
    )


def _other_field(one: Scored, other: Scored) -> bool:
    """Tell whether two cases have other fields: of other files, or with more pixels outside."""
    outside = {each.excluded.get("outside", 0) for each in (one, other)}
    return one.case.within != other.case.within or len(outside) > 1


def _by_name(report: Report, where: str) -> dict[str, Scored]:
    names = Counter(one_form(each.case.name) for each in report.scored)
    twice = [name for name, n in names.items() if n > 1]
    if twice:
        raise GateError(
            f"more than one case of {where} is named {_some(twice)}", "Give each case a name of its own."
        )
    return {one_form(each.case.name): each for each in report.scored}


def _some(names: Iterable[str]) -> str:
    every = sorted(names, key=natural)
    more = [f"{len(every) - NAMED_CASES} more"] * (len(every) > NAMED_CASES)
    return ", ".join(every[:NAMED_CASES] + more) or "none"
