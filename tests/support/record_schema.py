"""Records of runs, held against the JSON Schema that ships with the package."""

from __future__ import annotations

import json
from functools import cache, wraps

from jsonschema import Draft202012Validator, validators

from dicecli.plugins import load

#: Of each status so many cases are looked at, the first ones: the others are made in the same way.
CASES = 2
#: What was found wrong of the records that this process has written since anyone asked.
FAULTS: list[str] = []


def _items(validator, items, instance, schema):
    """Look at equal items of a list once: histograms of a thousand bins have few numbers."""
    if isinstance(instance, list) and not any(isinstance(each, (list, dict)) for each in instance):
        instance = list({(type(each), each): each for each in instance}.values())
    return Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema)


@cache
def validator():
    """Return what holds a record against its schema."""
    from dicecli.reports.schema import schema

    return validators.extend(Draft202012Validator, {"items": _items})(schema())


def faults(record):
    """Return what a record has that its schema does not allow, each with its place."""
    return [f"{each.json_path}: {each.message[:300]}" for each in validator().iter_errors(record)]


def _some(record):
    """Return a record with the first cases of each status alone."""
    if not isinstance(record, dict) or not isinstance(record.get("cases"), list):
        return record
    found = {}
    for each in record["cases"]:
        found.setdefault(each.get("status"), []).append(each)
    return record | {"cases": [each for cases in found.values() for each in cases[:CASES]]}


def loaded(text):
    """Return the record that a command wrote, which keeps its schema."""
    record = json.loads(text)
    found = faults(_some(record))
    assert not found, found
    return record


def watch():
    """Have every record that this process makes from now on held against the schema, without disturbing it."""
    exporter = load("exporters", "json")

    def watched(function):
        @wraps(function)
        def call(*arguments, **options):
            found = function(*arguments, **options)
            FAULTS.extend(faults(_some(json.loads(found) if isinstance(found, str) else found)))
            return found

        return call

    for name in ("record", "render", "render_soft"):
        setattr(exporter, name, watched(getattr(exporter, name)))
