"""Which report results have: one on masks, or one on probability maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.reports.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Result
    from dicecli.records.settings import Settings


def report_of(
    results: Sequence[Result], settings: Settings, *, notes: Sequence[str] = (), is_batch: bool | None = None
) -> Any:
    """Return the report on some results: a :class:`SoftReport` where predictions are probabilities."""
    kind: Any = Report
    if settings.soft is not None:
        from dicecli.reports.soft.report import SoftReport

        kind = SoftReport
    return kind(results, settings, notes=notes, is_batch=is_batch)
