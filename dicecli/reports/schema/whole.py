"""The JSON Schema of the record that ``-f json`` writes: of masks and of probability maps, draft 2020-12."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import every_of
from dicecli.records.cases import Verdict
from dicecli.records.json_schema import (
    DEFINITIONS,
    closed,
    described,
    measured,
    of,
    or_null,
    properties,
)
from dicecli.records.lengths import LENGTHS
from dicecli.records.observed import Observed
from dicecli.records.origin import Origin
from dicecli.reports.averages import AVERAGES, OVER_REGIONS, definition, names_of
from dicecli.reports.record import SCHEMA
from dicecli.reports.schema import beside, parts
from dicecli.reports.suggestions import Suggestion
from dicecli.statistics._leading import leading, name_of

if TYPE_CHECKING:
    from dicecli.metrics._metric import Metric
    from dicecli.records.json_schema import Schema

_WHAT = (
    "Everything that 'dicecli score', 'dicecli batch' and 'dicecli soft' know of a run. Undefined is null; "
    "numbers have full precision. Every number comes from what was measured of the cases, and "
    "'dicecli report' makes it again."
)
#: How sure an average is; of a batch alone.
_SPREAD = {
    "ci_low": "lower limit of the 95 % interval, by the bootstrap over cases or groups; null where none is, "
    "and only of the metrics that were asked for or are shown.",
    "ci_high": "upper limit of the 95 % interval.",
    "sd": "standard deviation (n - 1) of the values of the cases, of an average that is their mean.",
}


def schema() -> Schema:
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
            "record_of_masks": described(parts.record("masks"), "The record of masks of labels."),
            "record_of_maps": described(parts.record("maps"), "The record of probability maps."),
            "case_without_numbers": parts.case_without_numbers(),
            "measured": described(measured(), "What was measured of a case: rows, by the statistic."),
            "suggestion": of(Suggestion),
            "observed": or_null(of(Observed)),
            "origin": described(
                closed(properties(Origin), optional=("rendered_by", "not_obeyed")),
                "Where a report comes from.",
            ),
            "statistics": parts.statistics(),
            "finite": parts.finite(),
            "comparison": beside.comparison(),
            "groups": beside.groups(),
            "confusion": beside.confusion(),
            **_of("masks", "labels"),
            **_of("maps", "probabilities"),
        },
    }


def _of(family: str, reads: str) -> Schema:
    """Return the definitions of the records of runs that read labels, or probabilities."""
    averaged = {each.name: each for each in _metrics(reads) if each.averaged}
    of_one = names_of((), several=False)
    single = (
        parts.how_many()
        | {"averages": _averages(of_one, f"one_of_{family}", reads), "overall": _overall(reads)}
        | _judged()
        | ({"confusion": {"$ref": "#/$defs/confusion"}} if reads == "labels" else {})
    )
    every = {"averages": _averages(tuple(AVERAGES), family, reads)}
    batch = single | every | parts.over_cases()
    may_lack = ("comparison", "groups", *parts.obeyed())
    return {
        f"settings_of_{family}": parts.settings(soft=reads == "probabilities"),
        f"case_of_{family}": _case(family, reads),
        f"row_of_{family}": _row(reads),
        f"metrics_of_{family}": _by_metric(
            averaged, parts.VALUE, "A number for each metric; null is undefined."
        ),
        f"numbers_by_metric_of_{family}": _by_metric(
            averaged, parts.WHOLE, "A whole number for each metric."
        ),
        f"average_of_{family}": _average(family, several=True),
        f"average_of_one_of_{family}": _average(family, several=False),
        f"summary_of_{family}": described(
            closed(batch, optional=may_lack), "What the cases of a batch come to."
        ),
        f"summary_of_one_of_{family}": described(
            closed(single, optional=may_lack), "The same of one case alone."
        ),
    }


def _judged() -> Schema:
    """Return the schema of what came of the gates, and of the notes on a run."""
    own = {
        name: parts.or_undefined(each) if name == "value" else each
        for name, each in properties(Verdict).items()
    }
    return {
        "gates": parts.listed(
            closed(own), "What came of each gate, as --fail-under, --fail-over and --baseline ask."
        ),
        "comparison": {"$ref": "#/$defs/comparison"},
        "groups": {"$ref": "#/$defs/groups"},
        "notes": parts.notes("What was assumed of the run, or looks odd in it."),
        **parts.obeyed(),
        "made_notes": described(parts.WHOLE, "How many of them, the last ones, are made from the cases."),
        "suggestions": parts.listed(
            parts.SUGGESTION, "What to try, made from all cases at once; the notes say the same."
        ),
    }


def _metrics(reads: str) -> list[Metric]:
    """Return the metrics of rows, a length once in each unit."""
    every = [each for each in every_of(reads) if each.takes == "row"]
    return [
        replace(each, name=f"{each.name}_{unit}") if unit else each
        for each in every
        for unit in (LENGTHS if each.unit else ("",))
    ]


def _by_metric(names: dict[str, Metric], content: Schema, text: str) -> Schema:
    known = {name: described(content, f"{each.summary}.") for name, each in names.items()}
    return {"description": text, "type": "object", "properties": known, "additionalProperties": content}


def _row(reads: str) -> Schema:
    """Return the schema of one label or region of a case."""
    kind = leading(reads).FACTS
    facts = {
        "label": described(parts.LABEL, "The label; null of a region."),
        "name": described(parts.NAME_OR_NULL, "Its name, where it has one."),
        **properties(kind),
    }
    metrics = {each.name: described(parts.VALUE, f"{each.summary}.") for each in _metrics(reads)}
    return {
        "description": "One label or region: what it is made of, every metric asked for; null is undefined.",
        "type": "object",
        "properties": facts | metrics,
        "required": list(facts),
        "additionalProperties": parts.VALUE,
    }


def _overall(reads: str) -> Schema:
    every = {each.name: each.summary for each in every_of(reads) if each.takes == "every"}
    content = {name: described(parts.VALUE, f"{text}.") for name, text in every.items()}
    found = closed(content) | {"additionalProperties": parts.VALUE}
    return described(found, "The metrics of all labels at once; null is undefined.")


def _case(family: str, reads: str) -> Schema:
    row, names = {"$ref": f"#/$defs/row_of_{family}"}, names_of((), several=False)
    # Which there are depends on the metrics: some have only those that are means of values.
    every = (*names, "label-mean", *OVER_REGIONS)
    checks = {
        "f1_equals_dice": {"description": "Whether F1 is Dice in every row.", "type": "boolean"},
        "dice_from_iou": {"description": "Whether Dice and IoU give each other.", "type": "boolean"},
    }
    averages, undefined = (
        closed({name: {"$ref": f"#/$defs/{of}_of_{family}"} for name in every}, optional=every)
        for of in ("metrics", "numbers_by_metric")
    )
    content = {
        **parts.facts_of_scored(),
        "labels": parts.listed(row, "The evaluated labels, then the regions, whose label is null."),
        "not_averaged": parts.listed(row, "Labels that were counted, but are not evaluated: the background."),
        "averages": described(averages, "The averages over the rows of the case, by metric."),
        "undefined": described(undefined, "How many undefined values each average leaves out."),
        "overall": _overall(reads),
        "checks": described(
            closed(checks if reads == "labels" else {}), "What was checked in exact fractions."
        ),
        "notes": parts.notes("What was assumed of the case or looks odd in it, and what may mislead."),
        "advice": described(parts.WHOLE, "How many of the notes, the last ones, are made from the numbers."),
        "suggestions": parts.listed(parts.SUGGESTION, "What to try; the notes say the same."),
        "observed": described(
            {"$ref": "#/$defs/observed"}, "What was seen besides, of which notes are made; null is nothing."
        ),
        "measured": {
            "description": "What every number is made of.",
            "$ref": "#/$defs/measured",
            "required": [name_of(reads)],
        },
    }
    what = {"masks": "two masks", "maps": "a probability map"}[family]
    return described(closed(content, optional=parts.MAY_LACK), f"A case of {what} that has its numbers.")


def _average(family: str, *, several: bool) -> Schema:
    """Return the schema of one average; of a batch with how sure it is."""
    numbers = {"$ref": f"#/$defs/numbers_by_metric_of_{family}"}
    values = {"$ref": f"#/$defs/metrics_of_{family}"}
    own = {key: described(values, f"{text[0].upper()}{text[1:]}") for key, text in _SPREAD.items()}
    infinite = {
        "infinite": described(numbers, "How many values are infinite, of metrics that may be."),
        "finite": described(values, "The mean of the others, of metrics that may be infinite."),
    }
    if several:
        infinite |= {
            f"finite_{key}": described(values, f"Of the finite mean: {text}") for key, text in _SPREAD.items()
        }
    content = {
        "definition": {"description": "How it is computed.", "type": "string"},
        "values": described(values, "The average of each metric."),
        "n": described(numbers, "How many values went in."),
        "undefined": described(numbers, "How many values were left out because they are undefined."),
        **(own if several else {}),
        **infinite,
    }
    return described(closed(content, optional=tuple(infinite)), "One average of each metric.")


def _averages(names: tuple[str, ...], family: str, reads: str) -> Schema:
    content = {
        name: {
            "description": f"{definition(name, reads)[0].upper()}{definition(name, reads)[1:]}.",
            "$ref": f"#/$defs/average_of_{family}",
        }
        for name in dict.fromkeys((*names, "label-mean", *OVER_REGIONS))
    }
    return described(closed(content, optional=tuple(content)), "The averages over the run.")
