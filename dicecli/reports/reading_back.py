"""From the JSON record back to a report: to render it again, to merge it with others, to compare with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicecli.errors import BrokenPlugin, UnknownName, UsageError
from dicecli.records.alike import did_you_mean_file
from dicecli.records.cases import ALWAYS_EXCLUDED, EXCLUDED, UNSCORED, Failed, Scored, Verdict
from dicecli.records.codec import fields, read
from dicecli.records.compared import comparison_read
from dicecli.records.label_maps import SIDES
from dicecli.records.label_maps.texts import parse_map
from dicecli.records.labels import LabelScheme
from dicecli.records.lengths import SIZES
from dicecli.records.measurements import Measured, Whole
from dicecli.records.origin import NOWHERE, Origin
from dicecli.records.settings import Settings
from dicecli.records.undefined import read_numbers
from dicecli.reports import contradictions as checks
from dicecli.reports.first_schema import as_list, measured_of_rows
from dicecli.reports.of_nnunet import is_summary, report_of
from dicecli.reports.record import SCHEMA
from dicecli.reports.report import Report
from dicecli.statistics._leading import name_of
from dicecli.words import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.records.cases import Result
    from dicecli.records.codec import Json

_HINT = (
    "Give the JSON that 'dicecli batch -o results.json' or 'dicecli score -f json' wrote, or the "
    "summary.json of nnU-Net."
)
#: So many keys of a file that is no report are named.
_FEW = 3


def read_report(path: str | Path) -> Report:
    """Read a report from its JSON file, or from the summary.json of nnU-Net.

    Raises
    ------
    UsageError
        The file is missing, is no such record, or was written by a newer version.
    """
    try:
        record = _loaded(path)
    except (OSError, ValueError, RecursionError) as error:
        meant = did_you_mean_file(path)
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot be read as a report: {why}", f"{meant}{_HINT}", str(path)) from error
    try:
        return report_of(record) if is_summary(record) else from_dict(record)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.hint) from error


def _loaded(path: str | Path) -> Any:
    """Return the content of a JSON file; what JSON has not, NaN and infinity, nnU-Net alone may have."""
    words: list[str] = []
    record = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=words.append)
    if words and not is_summary(record):
        raise ValueError(f"{words[0]} stands where a number is expected")
    return record


def from_dict(record: Json) -> Report:
    """Build a report from its record; every number is computed again from what was measured.

    Raises
    ------
    UsageError
        Not a record of this schema, or of schema 1; or one with metrics or statistics that are not here.
    """
    schema = record.get("schema") if isinstance(record, dict) else None
    if schema == "soft-1":
        raise UsageError(
            "it is a record of probability maps in the schema soft-1, which kept no sums to render again",
            "Score the maps again: this version writes records that can be read.",
        )
    if type(schema) is not int or schema not in {1, SCHEMA}:
        said = (
            f"its schema is {schema!r}; {SCHEMA} is expected, or 1" if schema is not None else _other(record)
        )
        raise UsageError(said, _HINT)
    try:
        return _report(record, is_first=schema == 1)
    except UnknownName as error:
        hint = "It was written with a package, or a version of dicecli, that brings it: install that one."
        raise UsageError(error.message, hint) from error
    except BrokenPlugin:
        raise
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        said = error.message if isinstance(error, UsageError) else fault(error)
        raise UsageError(f"it is not a whole record ({said})", _HINT) from error


def _other(record: object) -> str:
    """Say what a file is that names no schema."""
    if isinstance(record, dict) and isinstance(record.get("labels"), dict):
        return "it is no report, but looks like a file of labels"
    if isinstance(record, dict):
        keys = ", ".join(f"'{key}'" for key in islice(record, _FEW))
        return f"it is no report: it has no 'schema', but {keys or 'nothing'}"
    return "it is no report, but a list" if isinstance(record, list) else "it is no report"


def _report(record: Json, *, is_first: bool) -> Report:
    settings = settings_from_dict(record["settings"])
    measured = measured_of_rows if is_first else _measured
    results = [
        _result(case, settings, measured, f"cases[{place}]")
        for place, case in enumerate(as_list(record["cases"]))
    ]
    summary = record["summary"]
    verdicts = [
        read_numbers(Verdict, each, "summary.gates", ("value",)) for each in as_list(summary["gates"])
    ]
    notes = read(tuple[str, ...], summary["notes"], "summary.notes")
    is_batch = len(results) != 1 or "bootstrap" in summary
    origin = _origin(record["origin"]) if "origin" in record else NOWHERE
    report = Report(results, settings, is_batch=is_batch)
    # Notes that are made from the cases are other ones once these are merged with others.
    if "made_notes" in summary:
        made = read(Whole, summary["made_notes"], "summary.made_notes")
        if made > len(notes):
            raise ValueError(f"summary.made_notes is {made}, more than the notes that there are")
        given = list(notes[: len(notes) - made])
    else:
        given = [each for each in notes if each not in report.made_notes]
    report = Report(results, settings, notes=given, is_batch=is_batch, origin=origin)
    report.verdicts = tuple(verdicts)
    if "comparison" in summary:
        report.comparison = comparison_read(summary["comparison"], "summary.comparison")
    return report


def _origin(record: Json) -> Origin:
    """Return where a report comes from; files that were not obeyed, or later, may be lacking."""
    more = {"rendered_by": (), "not_obeyed": ()}
    found: Origin = read(Origin, {**more, **record} if isinstance(record, dict) else record, "origin")
    return found


def settings_from_dict(record: Json) -> Settings:
    """Build the settings from what a report says of them; a colour table is not among it.

    Raises
    ------
    TypeError, LookupError, ValueError
        Not what a report says.
    """
    kinds = fields(Settings)
    given = {
        "names": read(Mapping[int, str], record["names"], "settings.names"),
        "regions": read(Mapping[str, tuple[int, ...]], record["regions"], "settings.regions"),
        "ignore": read(tuple[int, ...], record["ignore_labels"], "settings.ignore_labels"),
        "background": read(int | None, record["background"], "settings.background"),
        "source": read(str | None, record["labels"], "settings.labels"),
        "maps": {
            side: parse_map(read(str, record[f"map_{side}"], f"settings.map_{side}"), f"settings.map_{side}")
            for side in SIDES
            if f"map_{side}" in record
        },
    }
    plain = {
        key: read(kinds[key], value, f"settings.{key}")
        for key, value in record.items()
        if key in kinds and key != "labels"
    }
    settings = Settings(labels=LabelScheme(**given), **plain)
    checks.check_settings(settings)
    return settings


def _result(
    record: Json,
    settings: Settings,
    measured: Callable[[Json, Settings, str], Measured],
    where: str,
) -> Result:
    case = {"name": record["case"], "refused": None}
    case |= {key: read(str, record[key], f"{where}.{key}") for key in ("prediction", "reference")}
    case |= {"within": read(str | None, record.get("within"), f"{where}.within")}
    columns = read(Mapping[str, str], record.get("columns", {}), f"{where}.columns")
    case |= {"group": record["group"], "columns": [*columns.items()]}
    if record["status"] != "scored":
        said = {key: record[key] for key in ("error", "message", "hint")}
        failed: Failed = read(UNSCORED[record["status"]], {"case": case, **said}, where)
        return failed
    notes = read(tuple[str, ...], record["notes"], f"{where}.notes")
    advice = read(Whole, record.get("advice", 0), f"{where}.advice")
    if advice > len(notes):
        raise ValueError(f"{where}.advice is {advice}, more than the notes that there are")
    content = {key: record[key] for key in ("shape", "spacing", "unit", "counted", "excluded")}
    content |= {"case": case, "sizes": record["pixel_size"], "notes": notes[: len(notes) - advice]}
    content |= {"observed": record.get("observed")}
    scored: Scored = read(Scored, content | {"measured": {}}, where)
    if not {*scored.sizes} <= {*SIZES} or not {*ALWAYS_EXCLUDED} <= {*scored.excluded} <= {*EXCLUDED}:
        raise ValueError(f"{where} has another pixel_size than {SIZES}, or another excluded than {EXCLUDED}")
    checks.check_size(scored.sizes.values(), f"{where}.pixel_size")
    checks.check_spacing(scored, where)
    found = measured(record, settings, where)
    checks.check_shape(found, scored.shape, where)
    if settings.per_slice:
        checks.check_slices(found, where)
    checks.check_observed(scored, where)
    checks.check_pixels(scored, where)
    return replace(scored, measured=found)


def _measured(record: Json, settings: Settings, where: str) -> Measured:
    found: Measured = read(Measured, record["measured"], f"{where}.measured")
    wanted = name_of(settings.reads)
    if wanted not in found:
        raise ValueError(f"{where}.measured has no {wanted}")
    checks.check_matrices(found, record["counted"], where)
    if "soft" in found:
        checks.check_sums(found["soft"], record["counted"], where)
    return found
