"""The JSON Schema of the record that ``-f json`` writes: of masks and of probability maps, draft 2020-12."""

from __future__ import annotations

from typing import Any

from dicecli.metrics._catalogue import Metric, catalogue
from dicecli.records.cases import LENGTHS
from dicecli.records.counts import Counts
from dicecli.records.json_schema import DEFINITIONS, closed, described, measured, properties
from dicecli.reports import schema_parts as parts
from dicecli.reports.averages import DEFINITIONS as AVERAGES
from dicecli.reports.averages import MACRO_REGIONS, OF_ONE_CASE, definition
from dicecli.reports.record import SCHEMA
from dicecli.reports.soft import schema as of_maps

#: Averages that only some runs of one case have: of metrics that do not pool, and of regions.
_OF_SOME = ("label-mean", MACRO_REGIONS)
_WHAT = (
    "Everything that 'dicecli score', 'dicecli batch' and 'dicecli soft' know of a run. Undefined is null; "
    "numbers have full precision. Every number comes from what was measured of the cases, and "
    "'dicecli report' makes it again."
)


def schema() -> dict[str, Any]:
    """Return the JSON Schema, in JSON's types.

    Metrics may be added by installed packages, so that a row may have any other property that is a number or
    null. Statistics are those that are installed.
    """
    is_of_maps = {"properties": {"settings": {"required": ["soft"]}}, "required": ["settings"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:dicecli:record:{SCHEMA}",
        "title": f"Record of dicecli, schema {SCHEMA}",
        "description": _WHAT,
        "type": "object",
        **parts.chosen(is_of_maps, "record_of_maps", "record_of_masks"),
        "$defs": {
            **DEFINITIONS,
            "record_of_masks": described(parts.record("masks", {}), "The record of masks of labels."),
            "record_of_maps": described(of_maps.record(), "The record of probability maps."),
            "case_without_numbers": parts.case_without_numbers(),
            "measured": described(measured(), "What was measured of a case: rows, by the statistic."),
            "statistics": parts.statistics(),
            **_of_masks(),
            **of_maps.definitions(),
        },
    }


def _of_masks() -> dict[str, Any]:
    averaged = {each.name: each for each in _metrics() if each.averaged}
    single = parts.how_many() | {"averages": _averages(OF_ONE_CASE), "overall": _overall()} | parts.judged()
    batch = single | {"averages": _averages(tuple(AVERAGES))} | parts.over_cases("metric") | parts.judged()
    return {
        "settings_of_masks": parts.settings(soft=False),
        "case_of_masks": _case(),
        "row_of_masks": _row(),
        "metrics": _by_metric(averaged, parts.VALUE, "A number for each metric; null is undefined."),
        "numbers_by_metric": _by_metric(averaged, parts.WHOLE, "A whole number for each metric."),
        "average": _average(),
        "summary_of_masks": described(closed(batch), "What the cases of a batch come to."),
        "summary_of_one_of_masks": described(closed(single), "The same of one case alone."),
    }


def _metrics() -> list[Metric]:
    every = [each for each in catalogue().values() if each.takes == "row" and each.reads == "labels"]
    return [each.in_unit(unit) for each in every for unit in (LENGTHS if each.unit else ("",))]


def _by_metric(names: dict[str, Metric], content: dict[str, Any], text: str) -> dict[str, Any]:
    known = {name: described(content, f"{each.summary}.") for name, each in names.items()}
    return {"description": text, "type": "object", "properties": known, "additionalProperties": content}


def _row() -> dict[str, Any]:
    """Return the schema of one label or region of a case."""
    facts = {
        "label": described(parts.LABEL, "The label; null of a region."),
        "name": described(parts.NAME_OR_NULL, "Its name, where it has one."),
        **{name: described(parts.WHOLE, each["description"]) for name, each in properties(Counts).items()},
    }
    metrics = {each.name: described(parts.VALUE, f"{each.summary}.") for each in _metrics()}
    return {
        "description": "One label or region: its counts, and every metric asked for; null is undefined.",
        "type": "object",
        "properties": facts | metrics,
        "required": list(facts),
        "additionalProperties": parts.VALUE,
    }


def _overall() -> dict[str, Any]:
    names = {each.name: each.summary for each in catalogue().values() if each.takes == "every"}
    content = {name: described(parts.VALUE, f"{text}.") for name, text in names.items()}
    return described(closed(content), "The metrics of all labels at once; null is undefined.")


def _case() -> dict[str, Any]:
    row, names = {"$ref": "#/$defs/row_of_masks"}, (*OF_ONE_CASE, *_OF_SOME)
    checks = {
        "f1_equals_dice": {"description": "Whether F1 is Dice in every row.", "type": "boolean"},
        "dice_from_iou": {"description": "Whether Dice and IoU give each other.", "type": "boolean"},
    }
    averages, undefined = (
        closed({name: {"$ref": f"#/$defs/{of}"} for name in names}, optional=_OF_SOME)
        for of in ("metrics", "numbers_by_metric")
    )
    content = {
        **parts.facts_of_scored(),
        "labels": parts.listed(row, "The evaluated labels, then the regions, whose label is null."),
        "not_averaged": parts.listed(row, "Labels that were counted, but are not evaluated: the background."),
        "averages": described(averages, "The averages over the labels of the case, by metric."),
        "undefined": described(undefined, "How many undefined values each average leaves out."),
        "overall": _overall(),
        "checks": described(closed(checks), "What was checked in exact fractions."),
        "notes": parts.notes("What was assumed of the case or looks odd in it, and what may mislead."),
        "advice": described(parts.WHOLE, "How many of the notes, the last ones, are made from the counts."),
        "measured": {
            "description": "What every number is made of.",
            "$ref": "#/$defs/measured",
            "required": ["matrix"],
        },
    }
    return described(closed(content), "A case of two masks that has its numbers.")


def _average() -> dict[str, Any]:
    numbers = {"$ref": "#/$defs/numbers_by_metric"}
    content = {
        "definition": {"description": "How it is computed.", "type": "string"},
        "values": described({"$ref": "#/$defs/metrics"}, "The average of each metric."),
        "n": described(numbers, "How many values went in."),
        "undefined": described(numbers, "How many values were left out because they are undefined."),
    }
    return described(closed(content), "One average of each metric.")


def _averages(names: tuple[str, ...]) -> dict[str, Any]:
    content = {
        name: {
            "description": f"{definition(name)[0].upper()}{definition(name)[1:]}.",
            "$ref": "#/$defs/average",
        }
        for name in dict.fromkeys((*names, *_OF_SOME))
    }
    optional = tuple(each for each in _OF_SOME if each not in names)
    return described(closed(content, optional=optional), "The averages over the run.")
