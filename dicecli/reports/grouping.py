"""Cases by what they have in a column of the CSV that named them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.cases import GROUP
from dicecli.records.natural import natural
from dicecli.words import did_you_mean, every

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicecli.records.cases import Case, Result


def check_column(cases: Iterable[Case], column: str, named: Iterable[str] = ()) -> None:
    """Check that some case has something in a column, or that it is one of those of the file of the cases.

    So a part of a run, where no case has anything in it, is grouped as the others are.

    Raises
    ------
    UsageError
        None has; or there is no case with any column; or a column is no text.
    """
    if not isinstance(column, str):
        raise UsageError(f"group_by is {column!r}", "It is the name of a column: group_by='fold'.")
    known = dict.fromkeys([*named, *(name for case in cases for name in _columns(case))])
    if column in known:
        return
    if known:
        raise UsageError(
            f"no case has anything in a column '{column}'",
            f"{did_you_mean(column, known)}Known: {every(known)}.",
        )
    raise UsageError(
        f"the cases have no column '{column}' to be grouped by",
        f"Columns are those of a CSV of pairs: --pairs pairs.csv, its first line "
        f"prediction,reference,{column}.",
    )


def _columns(case: Case) -> list[str]:
    return [*(name for name, _ in case.columns), *([GROUP] if case.group is not None else [])]


def grouped(results: Sequence[Result], column: str) -> dict[str | None, list[Result]]:
    """Return results by what their cases have in a column, in its natural order; None, nothing, is last."""
    values = {each.case.cell(column) for each in results}
    order = sorted((each for each in values if each is not None), key=natural)
    found: dict[str | None, list[Result]] = {each: [] for each in (*order, *({None} & values))}
    for each in results:
        found[each.case.cell(column)].append(each)
    return found
