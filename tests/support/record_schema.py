"""Records of runs, held against the JSON Schema that ships with the package."""

from __future__ import annotations

import json
from functools import cache, wraps

from jsonschema import Draft202012Validator, validators

from dicecli.plugins import load, names

#: Of each status so many cases are looked at, the first ones: the others are made in the same way.
CASES = 2
#: What was found wrong of the records that this process has written since anyone asked.
FAULTS: list[str] = []


@cache
def _schema_with(statistics):
    """Return the schema where these statistics are installed: a test may have one of its own for a while."""
    from dicecli.reports.schema.whole import schema

    del statistics
    return schema()


def _schema():
    return _schema_with(names("statistics"))


#: What JSON Schema calls a value of these types.
KINDS = {
    str: {"string"},
    bool: {"boolean"},
    int: {"integer", "number"},
    float: {"number"},
    type(None): {"null"},
}
ORIGINAL = Draft202012Validator.VALIDATORS


def _fits(value, schema):
    """Tell whether a value fits at first sight: most of a record is numbers that can be nothing wrong."""
    if not isinstance(schema, dict) or not schema.keys() <= {"description", "type", "$ref"}:
        return False
    if "$ref" in schema:
        return (
            schema["$ref"] == "#/$defs/whole" and type(value) is int and value >= 0 and "type" not in schema
        )
    kind = schema.get("type", [])
    return not KINDS.get(type(value), set()).isdisjoint([kind] if isinstance(kind, str) else kind)


def _properties(validator, properties, instance, schema):
    if isinstance(instance, dict):
        instance = {name: each for name, each in instance.items() if not _fits(each, properties.get(name))}
    return ORIGINAL["properties"](validator, properties, instance, schema)


def _other_properties(validator, other, instance, schema):
    if isinstance(instance, dict):
        instance = {name: each for name, each in instance.items() if not _fits(each, other)}
    return ORIGINAL["additionalProperties"](validator, other, instance, schema)


def _items(validator, items, instance, schema):
    """Look at equal items of a list once: histograms of a thousand bins have few numbers."""
    if isinstance(instance, list) and not any(isinstance(each, (list, dict)) for each in instance):
        instance = list({(type(each), each): each for each in instance}.values())
    return ORIGINAL["items"](validator, items, instance, schema)


def _reference(validator, reference, instance, schema):
    """Find a definition without the search for documents that schemas can refer to: this one has none."""
    del schema
    return validator.descend(instance, _schema()["$defs"][reference.removeprefix("#/$defs/")])


def validator():
    """Return what holds a record against its schema, in a fifth of the usual time."""
    return _validator(names("statistics"))


@cache
def _validator(statistics):
    quick = {
        "properties": _properties,
        "additionalProperties": _other_properties,
        "items": _items,
        "$ref": _reference,
    }
    return validators.extend(Draft202012Validator, quick)(_schema_with(statistics))


def faults(record):
    """Return what a record has that its schema does not allow, each with its place."""
    return _said(validator().iter_errors(record))


def faults_of_summary(summary, family):
    """Return what the summary of a record of masks, or of maps, has that its schema does not allow."""
    part = _schema()["$defs"][f"record_of_{family}"]["properties"]["summary"]
    return _said(validator().evolve(schema=part).iter_errors(summary))


def faults_of_confusion(matrix):
    """Return what a confusion matrix alone has that the schema of a record does not allow."""
    return _said(validator().evolve(schema=_schema()["$defs"]["confusion"]).iter_errors(matrix))


def _said(errors):
    return [f"{each.json_path}: {each.message[:300]}" for each in errors]


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
        def call(report, part, *look):
            found = function(report, part, *look)
            record = json.loads(found) if isinstance(found, str) else found
            if part == "summary":
                family = "masks" if report.settings.soft is None else "maps"
                FAULTS.extend(faults_of_summary(record, family))
            elif part == "confusion":
                FAULTS.extend(faults_of_confusion(record))
            else:
                FAULTS.extend(faults(_some(record)))
            return found

        return call

    for name in ("record", "render"):
        setattr(exporter, name, watched(getattr(exporter, name)))
