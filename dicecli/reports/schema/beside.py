"""What the JSON Schema says beside the numbers of a run: of its baseline, of groups, of confusions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.compared import Change, Comparison
from dicecli.records.json_schema import closed, described, or_null, properties
from dicecli.reports.schema.parts import LABEL, NAME_OR_NULL, TEXT, VALUE, WHOLE, listed, obeyed, or_undefined

if TYPE_CHECKING:
    from dicecli.records.json_schema import Schema

_ENDS = ("low", "high")


def comparison() -> Schema:
    """Return the schema of the numbers of a run beside those of its baseline."""
    numbers = {
        name: or_undefined(each) if each.get("type") == "number" else each
        for name, each in properties(Change).items()
    }
    every = properties(Comparison)
    every["changes"] = listed(closed(numbers), every["changes"]["description"])
    return described(closed(every), "The numbers beside those of the baseline; null is undefined.")


def groups() -> Schema:
    """Return the schema of what the cases come to by what they have in a column."""
    led = {
        "average": described(TEXT, "The average that leads."),
        "value": described(VALUE, "Of the cases of the group."),
        "n": described(WHOLE, "How many values went in."),
        "undefined": described(WHOLE, "How many were left out because they are undefined."),
        "infinite": described(
            WHOLE, "How many are infinite; the interval is of the mean of the others then."
        ),
        **{f"ci_{end}": described(VALUE, "95 % confidence interval, by the bootstrap.") for end in _ENDS},
        "sd": described(VALUE, "Of an average over cases: the standard deviation, with n - 1, of the cases."),
    }
    group = {
        "value": described(NAME_OR_NULL, "What its cases have in the column; null: nothing."),
        "expected": described(WHOLE, "Its cases."),
        "scored": described(WHOLE, "Those of them that have numbers."),
        "metrics": {
            "description": "Of each metric that is shown and has averages, the one that leads.",
            "type": "object",
            "additionalProperties": closed(led),
        },
    }
    every = {
        "by": described(TEXT, "The column of the CSV of pairs."),
        "groups": listed(closed(group), "One for each value, in natural order; cases without one last."),
    }
    return described(closed(every), "The cases by what they have in a column.")


def confusion() -> Schema:
    """Return the schema of the confusion matrix of all cases pooled."""
    label = {"$ref": "#/$defs/integer"}
    cell = {
        "description": "The label of the reference, that of the prediction, null for none, and the pixels.",
        "type": "array",
        "prefixItems": [label, LABEL, WHOLE],
        "minItems": 3,
        "maxItems": 3,
    }
    content = {
        **obeyed(),
        "labels": listed(label, "Those of either side, in ascending order."),
        "names": listed(NAME_OR_NULL, "What they are called, in the same order."),
        "cells": listed(cell, "Each pair of labels that meets; all others meet in no pixel."),
    }
    what = "All cases pooled; null where binary layers, or a record of schema 1, have none."
    return described(or_null(closed(content, optional=tuple(obeyed()))), what)
