"""The sheet of one case: its labels and regions, and the averages over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.reports import presentation as show
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.rows import CaseValues


def sheet(case: CaseValues, report: Numbers, *, every: bool) -> Sheet:
    """Return the sheet; one row alone has no averages beside it, which would be its own numbers again."""
    metrics, _ = show.shown_metrics(case.result, report.shown)
    if not metrics:
        return Sheet("", (), ())
    rows, left = show.shown_labels(case, metrics, every=every)
    lines: list[tuple[str, ...]] = []
    kinds: list[str] = []
    sizes = tuple(dict.fromkeys(name for row in case.rows for name in row.sizes)) or ("reference px",)
    for kind, group in (("label", rows), ("region", case.regions)):
        for row in group:
            label = "" if row.label is None else str(row.label)
            values = [show.figure(row.values[each.name]) for each in metrics]
            own = [show.size(row.sizes[name]) for name in sizes]
            lines.append((label, inert(row.name or ""), *own, *values))
            kinds.append(kind)
    nothing = [""] * len(sizes)
    if every or len(case.rows) != 1:
        for name, averages in show.averages_of(case.averages, case.labels, case.regions).items():
            lines.append(("", name, *nothing, *show.averaged(name, averages, metrics)))
            kinds.append("average")
    undefined = show.undefined_row(case, metrics, report)
    if any(undefined):
        lines.append(("", "undefined, left out", *nothing, *(str(n) for n in undefined)))
        kinds.append("undefined")
    columns = ("label", "name", *sizes, *(show.title(each) for each in metrics))
    return Sheet("", columns, tuple(lines), left, kinds=tuple(kinds), kept=2 + len(sizes))
