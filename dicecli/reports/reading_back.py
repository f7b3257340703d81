"""From the JSON record back to a report: to render it again, to merge shards, to compare with it."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.records.cases import Case, Failed, Missing, Pending, Scored, Verdict
from dicecli.records.counts import Counts
from dicecli.records.labels import LabelScheme
from dicecli.records.settings import Settings
from dicecli.reports.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Result

_HINT = "Give the JSON that 'dicecli batch -o results.json' or 'dicecli score -f json' wrote."
_UNSCORED = {"failed": Failed, "missing": Missing, "pending": Pending}


def read_report(path: str | Path) -> Report:
    """Read a report from its JSON file.

    Raises
    ------
    UsageError
        The file is missing, is no such record, or was written by a newer version.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as a report: {error}", _HINT) from error
    try:
        return from_dict(record)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.hint) from error


def from_dict(record: dict[str, Any]) -> Report:
    """Build a report from its record; every number is computed again from the counts.

    Raises
    ------
    UsageError
        Not a record of this schema.
    """
    schema = record.get("schema") if isinstance(record, dict) else None
    if str(schema).startswith("soft"):
        raise UsageError(
            "it is a record of probability maps, which is not rendered again",
            "Write the forms that are wanted at once: -o scores.json -o scores.csv -o table.md.",
        )
    if schema != 1:
        raise UsageError(f"its schema is {schema!r}; 1 is expected", _HINT)
    try:
        settings = settings_from_dict(record["settings"])
        results = [_result(case, settings) for case in _list(record["cases"])]
        verdicts = [_verdict(each) for each in record["summary"]["gates"]]
        notes = _texts(record["summary"]["notes"])
        is_batch = "bootstrap" in record["summary"]
        report = Report(results, settings, verdicts=verdicts, is_batch=is_batch)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"it is not a whole record ({type(error).__name__}: {error})", _HINT) from error
    # Notes that are made from the cases are other ones once these are merged with others.
    given = [each for each in notes if each not in report.made_notes]
    return Report(results, settings, verdicts=verdicts, notes=given, is_batch=is_batch)


def merged(reports: Sequence[Report]) -> Report:
    """Put the shards of one run together: all cases, in the order of their names.

    Raises
    ------
    UsageError
        They were made with different settings, or hold one case twice.
    """
    first = reports[0]
    for other in reports[1:]:
        mine, others = first.settings.to_dict(), other.settings.to_dict()
        different = [key for key in mine if mine[key] != others[key] and key != "labels"]
        if different:
            raise UsageError(
                f"the reports were made with different settings: {', '.join(different)}",
                "Reports merge when they are shards of one run: the same options for all.",
            )
    results = sorted((each for report in reports for each in report.results), key=lambda each: each.case.name)
    twice = [name for name, n in Counter(each.case.name for each in results).items() if n > 1]
    if twice:
        raise UsageError(
            f"{len(twice)} cases stand in more than one report: {', '.join(twice[:5])}",
            "Every case must be scored once. Give each shard its own cases.",
        )
    notes = dict.fromkeys(
        note for report in reports for note in report.notes if note not in report.made_notes
    )
    return Report(results, first.settings, notes=tuple(notes), is_batch=True)


def settings_from_dict(record: dict[str, Any]) -> Settings:
    """Build the settings from what a report says of them; a colour table is not among it.

    Raises
    ------
    TypeError, LookupError, ValueError
        Not what a report says.
    """
    scheme = LabelScheme(
        names={int(label): _text(name) for label, name in record["names"].items()},
        regions={name: tuple(_integers(members)) for name, members in record["regions"].items()},
        ignore=tuple(_integers(record["ignore_labels"])),
        background=None if record["background"] is None else _integer(record["background"]),
        source=None if record["labels"] is None else _text(record["labels"]),
    )
    plain = {
        key: value
        for key, value in record.items()
        if key in Settings.__dataclass_fields__ and key not in {"labels", "metrics"}
    }
    for key, value in plain.items():
        if isinstance(value, (list, dict)):
            raise TypeError(f"{key} is {value!r}")
    metrics = None if record["metrics"] is None else tuple(_texts(record["metrics"]))
    return replace(Settings(labels=scheme, metrics=metrics), **plain)


def _result(record: dict[str, Any], settings: Settings) -> Result:
    name, prediction, reference = (_text(record[key]) for key in ("case", "prediction", "reference"))
    group = None if record["group"] is None else _text(record["group"])
    case = Case(name, prediction, reference, group)
    if record["status"] != "scored":
        said = [_text(record[key]) for key in ("error", "message", "hint")]
        return _UNSCORED[record["status"]](case, *said)
    rows = [*record["labels"], *record["not_averaged"]]
    counts = {(_label(row), row["name"]): _counts(row) for row in rows}
    regions = {_text(name): each for (label, name), each in counts.items() if label is None}
    return Scored(
        case=case,
        shape=tuple(_integers(record["shape"])),
        spacing=None if record["spacing"] is None else tuple(float(each) for each in record["spacing"]),
        unit=None if record["unit"] is None else _text(record["unit"]),
        sizes={_text(unit): float(size) for unit, size in record["pixel_size"].items()},
        counted=_integer(record["counted"], least=0),
        excluded={why: _integer(n, least=0) for why, n in record["excluded"].items()},
        # A label that neither mask holds has a row where others have it; it was not counted.
        labels={
            label: each
            for (label, _), each in counts.items()
            if label is not None and each.tp + each.fp + each.fn
        },
        regions={name: regions[name] for name in settings.labels.regions},
        notes=_file_notes(record),
    )


def _file_notes(record: dict[str, Any]) -> tuple[str, ...]:
    notes = _texts(record["notes"])
    return tuple(notes[: len(notes) - _integer(record["advice"], least=0)])


def _verdict(record: dict[str, Any]) -> Verdict:
    value = math.nan if record["value"] is None else float(record["value"])
    holds = record["holds"]
    if not isinstance(holds, bool):
        raise TypeError(f"holds is {holds!r}")
    return Verdict(_text(record["gate"]), value, float(record["limit"]), holds, _text(record["detail"]))


def _counts(row: dict[str, Any]) -> Counts:
    return Counts(*(_integer(row[key], least=0) for key in Counts._fields))


def _label(row: dict[str, Any]) -> int | None:
    if row["name"] is not None:
        _text(row["name"])
    return None if row["label"] is None else _integer(row["label"])


def _integer(value: Any, least: int | None = None) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or (least is not None and value < least):
        raise TypeError(f"{value!r} where a whole number is expected")
    return value


def _list(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError(f"{values!r} where a list is expected")
    return values


def _integers(values: Any) -> list[int]:
    return [_integer(each) for each in _list(values)]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where a text is expected")
    return value


def _texts(values: Any) -> list[str]:
    return [_text(each) for each in _list(values)]
