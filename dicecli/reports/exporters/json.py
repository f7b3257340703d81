"""JSON: the full record, from which every other report can be made again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dicecli.records.codec import written
from dicecli.reports.matrix import check_matrix
from dicecli.reports.record import cases, frame, summary, whole
from dicecli.reports.text import of_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicecli.records.codec import Json
    from dicecli.reports.areas import AreaReport
    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

SUFFIXES = (".json",)
PARTS = ("report", "summary", "confusion")


def record(report: Report, part: Part) -> Json:
    """Return a part as JSON's types: undefined is None, infinity a text, numbers have full precision."""
    if part == "report":
        return whole(report)
    if part == "confusion":
        check_matrix(report.scored, report.settings)
    found = summary(report)
    found = found["confusion"] if part == "confusion" else found
    # Of the whole record this stands in the origin.
    told = {"obeyed": report.origin.obeyed, "not_obeyed": report.origin.not_obeyed}
    return found | {name: written(each) for name, each in told.items() if each}


def render(report: Report, part: Part, look: Look) -> str:
    """Return a part as JSON; undefined is null, infinity a text, everything is ASCII, and inert in a log.

    It is what ``json.dumps`` makes of the whole record, but case by case, in a tenth of the memory; and what
    was measured and observed of a case, and a confusion matrix, which nobody reads, stand in one line each.
    """
    del look
    if part == "report":
        return of_json(_rendered(frame(report), cases(report), summary(report)))
    return of_json(_lined(record(report, part))) + "\n"


def of_area(area: AreaReport, look: Look) -> str:
    """Return accuracy and areas of a map as JSON; undefined is null."""
    del look
    return of_json(_text(area.to_dict())) + "\n"


def _rendered(head: Json, every: Iterable[Json], end: Json) -> str:
    parts = [_text(head).removesuffix("\n}"), ',\n  "cases": [']
    for each in every:
        parts += ["\n    " if len(parts) == 2 else ",\n    ", _lined(each).replace("\n", "\n    ")]
    after = _lined(end).replace("\n", "\n  ")
    return "".join([*parts, "\n  " if len(parts) > 2 else "", f'],\n  "summary": {after}\n}}\n'])


#: What stands in one line each, the last of what it is part of.
_LINES = ("observed", "measured", "confusion", "cells")


def _lined(content: Json) -> str:
    lines = {name: content.pop(name) for name in _LINES if name in content}
    text = _text(content)
    for name, each in lines.items():
        line = json.dumps(each, allow_nan=False, separators=(",", ":"))
        text = f'{text[:-2]},\n  "{name}": {line}\n}}'
    return text


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
