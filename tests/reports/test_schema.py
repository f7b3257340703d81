"""The JSON Schema of the record: it allows what is written, refuses what differs, and explains every property."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace

import numpy as np
import places
import pytest
import record_schema
from jsonschema import Draft202012Validator
from streams import runner

import dicecli
from dicecli import plugins
from dicecli.cli import cli
from dicecli.metrics._catalogue import every_of
from dicecli.records.cases import Case, Verdict
from dicecli.records.lengths import LENGTHS
from dicecli.records.probabilities import Probabilities
from dicecli.records.schemes import load_labels
from dicecli.records.settings import Settings
from dicecli.reports.averages import AVERAGES, OVER_REGIONS
from dicecli.reports.schema.whole import schema
from dicecli.runs.scoring import make_settings, score_many

REFERENCE = np.array([[0, 1, 1, 2], [0, 1, 2, 2]])
OTHER = np.array([[0, 1, 2, 2], [0, 0, 2, 2]])
#: Probabilities of the labels 0, 1 and 2.
MAP = np.moveaxis(np.eye(3)[OTHER] * 0.7 + 0.1, -1, 0)
LABELS = {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}


def names_of_rows(reads):
    """Return the names of the metrics of a row in records of this kind, a length with each unit."""
    every = [each for each in every_of(reads) if each.takes == "row"]
    return {f"{each.name}_{unit}" if each.unit else each.name for each in every for unit in LENGTHS}


#: Names that installed packages may add to.
METRICS, OF_MAPS = names_of_rows("labels"), names_of_rows("probabilities")
#: Properties that may be left out.
OPTIONAL = {"mm3", "m2", "infinite", "finite", *AVERAGES, *OVER_REGIONS}
#: What is put in the place of a value.
ANOTHER = {
    bool: ["x", 1],
    int: ["x", 0.5, True, []],
    float: ["x", True, []],
    str: [1, True, []],
    type(None): [{}, True],
    list: [{}, "x", 1],
    dict: [[], "x", 1],
}


def cases(prediction):
    return [
        Case("ordinary", prediction, REFERENCE, "a patient"),
        Case("other", prediction, REFERENCE),
        Case("broken", np.zeros((2, 2)), REFERENCE),
    ]


@pytest.fixture(scope="module")
def records():
    """Return a record of each form: of masks and of maps, of one case and of a batch."""
    masks = score_many(cases(OTHER), make_settings(labels=LABELS, metrics=["dice", "volume_reference_mm3"]))
    masks.verdicts = (Verdict("dice=0.5", math.nan, 0.5, holds=False, detail="undefined"),)
    maps = score_many(
        cases(MAP), make_settings(soft=True, labels=LABELS, channels="0,1,2", metrics=["ece", "dice_best"])
    )
    organs = (places.SAMPLES / f"organs_{side}.nii.gz" for side in ("prediction", "reference"))
    pair, one = dicecli.score(*organs, metrics=["iou"]), dicecli.soft(MAP[1], REFERENCE == 1)
    found = {"one pair": pair, "pairs": masks, "one map": one, "maps": maps}
    return {name: json.loads(json.dumps(each.to_dict(), allow_nan=False)) for name, each in found.items()}


FORMS = ("one pair", "pairs", "one map", "maps")


def properties(value, path=()):
    """Yield the object and name of each property of a record, and its path; of a list the first of each sort."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield value, key, (*path, key)
        yield from properties(each, (*path, key))


def unlike(record):
    """Return the properties of a record, one of each sort: of rows the first, of statistics those of one metric."""
    found = {}
    for inside, key, path in properties(record):
        after = (None, *path)
        alike = tuple(
            "*" if isinstance(each, int) or (after[place] in {"scores", "metrics"} and each != key) else each
            for place, each in enumerate(path)
        )
        sort = [inside.get(each) for each in ("status", "kind")] if isinstance(inside, dict) else []
        found.setdefault((alike, *sort), (inside, key, path))
    return found.values()


def accepted(record, inside, path, changes):
    """Return the names of the changes with which the record is still valid; it is put back each time."""
    before, found = copy.copy(inside), []
    # Inside a case, or beside the cases, no other case is looked at.
    near = [record["cases"][path[1]]] if path[0] == "cases" and len(path) > 2 else []
    part = record if len(path) < 3 else record | {"cases": near}
    for name, change in changes.items():
        change(inside)
        if record_schema.validator().is_valid(part):
            found.append(name)
        if isinstance(inside, dict):
            inside.clear()
            inside.update(before)
        else:
            inside[:] = before
    return found


def may(path):
    """Return how a property may differ, by what this file says of it."""
    if path[:-1] == ("settings", "regions") or (
        path[-1] in METRICS | OF_MAPS and not {"measured", "sums"} & {*path}
    ):
        return ["removed", "misspelt"]
    return ["removed"] if path[:-1] == ("settings", "names") or path[-1] in OPTIONAL else []


def test_it_is_valid():
    """It is a schema by the draft's own one, all that it refers to is there, and nothing is there in vain."""
    found = schema()
    Draft202012Validator.check_schema(found)
    text = json.dumps(found)
    assert [] == [name for name in found["$defs"] if f'"#/$defs/{name}"' not in text]
    referred = {each for key, each in every(found) if key == "$ref"}
    assert referred == {f"#/$defs/{name}" for name in found["$defs"]}


def every(value):
    """Yield each name of a schema with what it has."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield key, each
        yield from every(each)


def test_it_is_the_golden_one_and_is_printed(golden):
    """``dicecli report --schema`` prints it, as it is kept in tests/golden, and asks for no file."""
    done = runner().invoke(cli, ["report", "--schema"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == schema()
    golden("schema.json", done.stdout)


def test_every_property_is_explained():
    """What a property means is said beside it, or where its definition is, in words without marks of code."""
    found = schema()
    for _, each in every(found):
        if isinstance(each, dict) and "additionalProperties" in each:
            for name, content in each.get("properties", {}).items():
                target = found["$defs"].get(content.get("$ref", "").rpartition("/")[2], {})
                assert content.get("description", target.get("description")), name
    said = [each for key, each in every(found) if key == "description" and isinstance(each, str)]
    assert [] == [each for each in said if any(mark in each for mark in ("`", ":data:", "None"))]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_valid(form, records):
    """Records of masks and of maps, of one case and of several, keep it to the last bin; any validator says so."""
    assert [] == record_schema.faults(records[form])
    assert [] == [*Draft202012Validator(schema()).iter_errors(records[form])]


@pytest.mark.parametrize("form", FORMS)
def test_a_property_that_is_missing_or_misspelt_is_refused(form, records):
    """Every property is needed, and has its name; but for those that are listed above."""
    record = records[form]
    for inside, key, path in unlike(record):
        if isinstance(inside, dict):
            changes = {
                "removed": lambda each, key=key: each.pop(key),
                "misspelt": lambda each, key=key: each.update({f"{key}_": each.pop(key)}),
            }
            assert (path, may(path)) == (path, accepted(record, inside, path, changes))


@pytest.mark.parametrize("form", FORMS)
def test_a_value_of_another_type_is_refused(form, records):
    """Whatever stands in the place of a value is refused where it is of another type."""
    record = records[form]
    for inside, key, path in unlike(record):
        is_large = str(inside[key]).startswith("0x")  # a whole number
        changes = {
            repr(other): lambda each, key=key, other=other: each.__setitem__(key, other)
            for other in ANOTHER[int if is_large else type(inside[key])]
        }
        assert (path, []) == (path, accepted(record, inside, path, changes))


def test_a_bin_too_few_is_refused(records):
    """Histograms have as many bins as there are thresholds, and one more."""
    record = copy.deepcopy(records["maps"])
    record["cases"][0]["measured"]["soft"][0]["inside"].pop()
    assert not record_schema.validator().is_valid(record)


def test_a_metric_of_an_installed_package_may_stand_beside_the_others(records):
    """In rows, averages and statistics; it is a number, or null."""
    record = copy.deepcopy(records["pairs"])
    statistics = record["summary"]["labels"][0]["metrics"]
    statistics["depth"] = statistics["dice"]
    for inside in (record["cases"][0]["labels"][0], record["cases"][0]["averages"]["macro"]):
        for value, holds in (("deep", False), (0.5, True), (None, True)):
            inside["depth"] = value
            assert record_schema.validator().is_valid(record) == holds


def test_families_are_not_mixed(records):
    """What a record of masks has stands in none of maps: neither a case nor a summary nor the settings."""
    for one, other in (("pairs", "maps"), ("maps", "pairs")):
        for part in ("summary", "cases", "settings"):
            assert not record_schema.validator().is_valid(records[one] | {part: records[other][part]})


def test_every_option_is_in_it():
    """Settings are those of the record itself; those of maps have the options of the soft scores, too."""
    found = schema()["$defs"]
    plain, soft = found["settings_of_masks"]["properties"], found["settings_of_maps"]["properties"]
    scheme = load_labels({"labels": {"1": "liver"}, "map": {"5": 1}})
    every = Settings(labels=scheme, length_unit="mm")
    assert [*plain] == [*every.to_dict()]
    assert [*soft] == [*replace(every, soft=Probabilities()).to_dict()]
    assert [*soft["soft"]["properties"]] == [*Probabilities().to_dict()]


def test_every_statistic_and_every_metric_is_in_it():
    """Whatever the folders have, with each field of its measurements."""
    found = schema()["$defs"]
    rows = found["measured"]["properties"]
    assert [*rows] == [*plugins.names("statistics")]
    for name in rows:
        text = json.dumps(rows[name])
        for measurement in plugins.load("statistics", name).MEASURES.values():
            assert all(f'"{field}": {{' in text for field in measurement.__dataclass_fields__)
    for family, reads, metrics in (("masks", "labels", METRICS), ("maps", "probabilities", OF_MAPS)):
        assert {*found[f"row_of_{family}"]["properties"]} >= metrics
        overall = {each.name for each in every_of(reads) if each.takes == "every"}
        assert {*found[f"case_of_{family}"]["properties"]["overall"]["properties"]} == overall
        sizes = {each.name for each in every_of(reads) if each.size}
        assert {*found[f"metrics_of_{family}"]["properties"]} == metrics - sizes


def test_a_record_that_breaks_it_fails_the_test_that_made_it(monkeypatch):
    """Every record that this process makes is looked at: one with a word too many is found."""
    monkeypatch.setattr("dicecli.reports.record.__version__", 1)
    dicecli.score(OTHER, REFERENCE).to_dict()
    dicecli.score(OTHER, REFERENCE).render("json")
    dicecli.soft(MAP, REFERENCE).render("json")
    found = record_schema.FAULTS[:]
    record_schema.FAULTS.clear()
    assert found == ["$.dicecli: 1 is not of type 'string'"] * 3


def test_a_record_that_a_process_wrote_is_held_against_it(records):
    """What tests load of a command's output is looked at, too; of many cases the first of each status."""
    record = records["pairs"] | {"cases": [*records["pairs"]["cases"][:1] * 5, {"status": "failed"}]}
    with pytest.raises(AssertionError, match="'case' is a required property"):
        record_schema.loaded(json.dumps(record))
