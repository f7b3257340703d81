"""JSON: the full record, from which every other report can be made again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from dicecli.reports.record import case_dicts, frame, summary_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicecli.reports.report import Report
    from dicecli.reports.soft.report import SoftReport

SUFFIXES = (".json",)


def record(report: Report | SoftReport) -> dict[str, Any]:
    """Return the record as JSON's types: undefined is None, numbers have full precision."""
    if report.settings.soft is None:
        return to_dict(cast("Report", report))
    from dicecli.reports.soft import record as soft_record

    return soft_record.to_dict(cast("SoftReport", report))


def render(report: Report, **_: Any) -> str:
    """Return the record as JSON; undefined is null, numbers have full precision, everything is ASCII.

    It is what ``json.dumps`` makes of the whole record, but case by case, in a tenth of the memory; and what
    was measured of a case, which nobody reads, stands in one line.
    """
    return _rendered(
        frame(report.settings) | {"cases": [], "summary": summary_dict(report)}, case_dicts(report)
    )


def _rendered(whole: dict[str, Any], cases: Iterable[dict[str, Any]]) -> str:
    before, mark, after = _text(whole).partition(_CASES)
    parts = [before, mark]
    for each in cases:
        parts += ["\n    " if len(parts) == 2 else ",\n    ", _case(each).replace("\n", "\n    ")]
    return "".join([*parts, "\n  " if len(parts) > 2 else "", after, "\n"])


#: Where the cases begin. No text in the record can look so: its lines are escaped, what it holds is indented.
_CASES = '\n  "cases": ['


def _case(content: dict[str, Any]) -> str:
    measured = content.pop("measured", None)
    if measured is None:
        return _text(content)
    line = json.dumps(measured, allow_nan=False, separators=(",", ":"))
    return f'{_text(content)[:-2]},\n  "measured": {line}\n}}'


def _text(content: Any, indent: str = "\n") -> str:
    """Return what ``json.dumps`` gives with an indent of two, several times as fast.

    Its encoder in C takes no indent, but any separator: what holds nothing but numbers and texts goes there.
    """
    inner = f"{indent}  "
    if not content or not isinstance(content, (dict, list)):
        return json.dumps(content, allow_nan=False)
    values = content.values() if isinstance(content, dict) else content
    if not any(isinstance(each, (dict, list)) for each in values):
        flat = json.dumps(content, allow_nan=False, separators=(f",{inner}", ": "))
        return f"{flat[0]}{inner}{flat[1:-1]}{indent}{flat[-1]}"
    parts = [_text(each, inner) for each in values]
    if isinstance(content, dict):
        parts = [f"{json.dumps(key)}: {part}" for key, part in zip(content, parts, strict=True)]
    body = f",{inner}".join(parts)
    return f"{{{inner}{body}{indent}}}" if isinstance(content, dict) else f"[{inner}{body}{indent}]"


def render_soft(report: SoftReport, **_: Any) -> str:
    """Return the record of probability maps as JSON, in the same way."""
    from dicecli.reports.soft import record as soft

    whole = soft.frame(report) | {"cases": [], "summary": soft.summary_dict(report)}
    return _rendered(whole, soft.case_dicts(report))


def render_soft_summary(report: SoftReport) -> str:
    """Return what sums the run up as JSON, without its cases."""
    from dicecli.reports.soft import record as soft_record

    return _text(soft_record.summary_dict(report)) + "\n"


def render_summary(report: Report) -> str:
    """Return what sums the run up as JSON, without its cases."""
    return _text(summary_dict(report)) + "\n"
