"""From the JSON record back to a report: to render it again, to merge shards, to compare with it."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicecli.counts import Counts
from dicecli.errors import UsageError
from dicecli.labels import LabelScheme
from dicecli.results import Case, Failed, Missing, Pending, Scored, Verdict
from dicecli.scores import Report
from dicecli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.results import Result

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
    if schema != 1:
        raise UsageError(f"its schema is {schema!r}; 1 is expected", _HINT)
    try:
        settings = settings_from_dict(record["settings"])
        results = [_result(case) for case in record["cases"]]
        verdicts = [
            Verdict(**(each | {"value": math.nan if each["value"] is None else each["value"]}))
            for each in record["summary"].get("gates", ())
        ]
        notes = record["summary"].get("notes", ())
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"it is not a whole record ({type(error).__name__}: {error})", _HINT) from error
    return Report(results, settings, notes=notes, verdicts=verdicts)


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
    notes = dict.fromkeys(note for report in reports for note in report.notes)
    return Report(results, first.settings, notes=tuple(notes))


def settings_from_dict(record: dict[str, Any]) -> Settings:
    """Build the settings from what a report says of them; a colour table is not among it."""
    scheme = LabelScheme(
        names={int(label): name for label, name in record["names"].items()},
        regions={name: tuple(members) for name, members in record["regions"].items()},
        ignore=tuple(record["ignore_labels"]),
        background=record["background"],
        source=record["labels"],
    )
    plain = {
        key: value
        for key, value in record.items()
        if key in Settings.__dataclass_fields__ and key not in {"labels", "metrics"}
    }
    metrics = record["metrics"]
    return replace(Settings(labels=scheme, metrics=None if metrics is None else tuple(metrics)), **plain)


def _result(record: dict[str, Any]) -> Result:
    case = Case(record["case"], record["prediction"], record["reference"], record.get("group"))
    if record["status"] != "scored":
        return _UNSCORED[record["status"]](case, record["error"], record["message"], record["hint"])
    rows = [*record["labels"], *record["not_averaged"]]
    counts = {(row["label"], row["name"]): Counts(row["tp"], row["fp"], row["fn"], row["tn"]) for row in rows}
    return Scored(
        case=case,
        shape=tuple(record["shape"]),
        spacing=None if record["spacing"] is None else tuple(record["spacing"]),
        unit=record["unit"],
        sizes=record["pixel_size"],
        counted=record["counted"],
        excluded=record["excluded"],
        # A label that neither mask holds has a row where others have it; it was not counted.
        labels={
            label: each
            for (label, _), each in counts.items()
            if label is not None and each.tp + each.fp + each.fn
        },
        regions={name: each for (label, name), each in counts.items() if label is None},
        notes=tuple(record["notes"]),
    )
