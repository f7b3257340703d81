"""Records read back: the same bytes again in every form, for both families, and nothing else is taken for one."""

from __future__ import annotations

import copy
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import make
import numpy as np
import pytest
from streams import runner

from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.plugins import having, load
from dicecli.records.cases import Case, Verdict
from dicecli.records.options import table_of
from dicecli.records.surfaces import OfSurfaces
from dicecli.reports.averages import OVER_REGIONS
from dicecli.reports.merging import merged
from dicecli.reports.parts import PARTS
from dicecli.reports.reading_back import from_dict, read_report
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, result_of

RECORDS = Path(__file__).parent / "records"
SCHEME = {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}


def report_on_masks():
    """Score two volumes with regions, ignored pixels and groups, and one that does not fit."""
    metrics = ["dice", "mcc", "volume_reference_mm3"]
    settings = make_settings(labels=SCHEME, ignore_label=9, metrics=metrics, per_slice=True)
    results = []
    for number, shape in enumerate([(6, 7), (6, 7), (5, 7)]):
        reference = make.blobs((6, 7), 3, number)
        reference[0, :3] = 9
        found = result_of(Case(f"c{number}", make.blobs(shape, 3, number + 7), reference), settings)
        found = replace(found, case=Case(f"c{number}", "p.nii", "r.nii", "site"))
        results.append(
            found if number == 2 else replace(found, sizes={"mm3": 0.5}, unit="mm", spacing=(0.5, 1.0))
        )
    report = Report(results, settings, notes=["a note"])
    report.verdicts = (
        Verdict("dice=0.5", 0.4, 0.5, False, "lower"),
        Verdict("iou=1", float("nan"), 1.0, False),
    )
    return report


def report_on_lengths():
    """Score two volumes by where their labels lie, too, in millimetres."""
    settings = make_settings(labels=SCHEME, metrics=["dice", "centre_distance"])
    results = [
        replace(
            result_of(Case(f"c{n}", make.blobs((6, 7), 3, n + 7), make.blobs((6, 7), 3, n)), settings),
            case=Case(f"c{n}", "p.nii", "r.nii"),
            unit="mm",
            spacing=(0.5, 1.0),
        )
        for n in range(2)
    ]
    return Report(results, settings)


def report_on_maps():
    """Score two probability maps with a region that is a sum of channels, and one that is none."""
    p = np.array([[[0.7, 0.2, 0.1, 0.25]], [[0.2, 0.7, 0.1, 0.5]], [[0.1, 0.1, 0.8, 0.25]]])
    settings = make_settings(soft=True, labels=SCHEME, channels="0,1,2", smooth=0.1)
    pairs = [(p, [[0, 1, 2, 2]]), (p, [[0, 1, 1, 0]]), (2 * p, [[0, 1, 2, 2]])]
    results = [
        replace(
            result_of(Case(f"c{n}", one, np.array(other)), settings),
            case=Case(f"c{n}", "p.npy", "r.png", "g"),
        )
        for n, (one, other) in enumerate(pairs)
    ]
    return Report(results, settings, notes=["a note"])


REPORTS = {"masks": report_on_masks, "lengths": report_on_lengths, "maps": report_on_maps}


@pytest.fixture(scope="module", params=REPORTS)
def report(request):
    """Make a report of each family."""
    return REPORTS[request.param]()


def rendered(report):
    """Return the report in every form of text that it has."""
    reads = report.settings.reads
    return {
        f"{name} {part}": report.render(name, part)
        for name in having("exporters", "report")
        for part in load("exporters", name).PARTS
        if reads in PARTS[part].reads
        and reads in getattr(load("exporters", name), "READS", (reads,))
        and (PARTS[part].asks is None or report.settings.option(PARTS[part].asks))
    }


def again(report):
    """Return the report that is read from the JSON of another."""
    return from_dict(json.loads(report.render("json")))


# Records of this schema.


def test_a_record_is_rendered_again_to_the_same_bytes(report):
    """Read back, a report gives what it gave, in every form."""
    assert {"json report", "csv summary", "table report", "markdown summary", "junit report"} <= set(
        rendered(report)
    )
    assert (report.settings.soft is not None) == ("csv curve" in rendered(report))
    assert rendered(again(report)) == rendered(report)


def test_shards_merge_to_what_one_run_gives(report):
    """The cases of several records, put together, are one run: the same bytes in every form."""
    whole = Report(report.results, report.settings, is_batch=True)
    shards = [again(Report([each], report.settings, is_batch=True)) for each in report.results[::-1]]
    assert rendered(merged(shards)) == rendered(whole)


def test_one_case_alone_is_rendered_again(report):
    """The record of a single case comes back as one, not as a run of one case."""
    one = Report(report.results[:1], report.settings)
    assert not again(one).is_batch
    assert rendered(again(one)) == rendered(one)


@pytest.mark.parametrize("order", [("masks", "maps"), ("maps", "masks")])
def test_shards_of_both_families_do_not_merge(order):
    """Masks and probability maps are no shards of one run, whichever comes first."""
    with pytest.raises(UsageError, match=r"different settings: .*soft"):
        merged([REPORTS[family]() for family in order])


# Records of schema 1.


@pytest.mark.parametrize("name", ["batch", "single"])
def test_schema_1_gives_the_csv_that_its_own_version_gave(name):
    """A record from before there were measurements gives, byte for byte, the CSV of its run, and notes after it."""
    found = read_report(RECORDS / f"{name}.json").render("csv").splitlines()
    first = (RECORDS / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    assert found[0] == f"{first[0]},notes"
    assert all(own.startswith(f"{line},") for own, line in zip(found, first, strict=True))


def test_schema_1_gives_its_own_numbers_again():
    """The record that is made of it is the same, apart from the schema, from what was measured, from the
    average that leads, from axes, pages, how palettes are read, what surfaces are, which tool to be like,
    which labels alone have rows, slices, groups and provenance, from averages over regions, of which there was one, how sure averages are,
    the sentence that sums the run up, confusions, from what is suggested, and from the order of cases that are equally bad.
    """
    first = json.loads((RECORDS / "batch.json").read_text())
    second = read_report(RECORDS / "batch.json").to_dict()
    assert second["settings"].pop("average") == "macro"
    assert second["settings"].pop("axes") is second["settings"].pop("page") is None
    assert second["settings"].pop("read_as") == "auto"
    assert second["settings"].pop("window") is False
    assert second["settings"].pop("uncovered") == "miss"
    for name in (*table_of(OfSurfaces), "like", "only", "per_slice", "group_by"):
        second["settings"].pop(name)
    of_cases = [case.get(each, {}) for case in second["cases"] for each in ("averages", "undefined")]
    for averages in (second["summary"]["averages"], *of_cases):
        for name in {*OVER_REGIONS} - {"macro-regions"}:
            averages.pop(name, None)
    assert second.pop("origin") == {"runs": []}
    for case in second["cases"]:
        for name in ("measured", "suggestions", "observed", "columns"):
            case.pop(name, None)
    assert second["summary"].pop("confusion") is None
    for name in ("made_notes", "suggestions", "headline"):
        second["summary"].pop(name)
    for average in second["summary"]["averages"].values():
        for name in ("ci_low", "ci_high", "sd"):
            average.pop(name)
    for row in (*first["summary"]["labels"], *second["summary"]["labels"]):
        row["worst"]["cases"].sort(key=lambda each: (each["value"], each["case"]))
    assert second == {**first, "schema": 2, "dicecli": second["dicecli"]}


def test_the_schema_of_maps_that_kept_no_sums_is_refused_by_name():
    """What cannot be rendered again is said, and what to do."""
    with pytest.raises(UsageError, match="soft-1") as caught:
        from_dict({"schema": "soft-1", "cases": []})
    assert "again" in caught.value.hint


# What is no record.


def changed(record, path, value):
    """Return a record with another value in one place; None as the path's end takes it away."""
    found = copy.deepcopy(record)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return found


ROW = ("cases", 0, "labels", 0)
PLACE = ("cases", 0, "measured", "place", 1)
ONE_AXIS = [
    {"kind": "label", "label": 1, "name": None, "members": [1], "reference": 1, "prediction": 1}
    | {"reference_sums": [1], "prediction_sums": [1]}
]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*ROW, "tp"), "x"),
        ((*ROW, "fp"), 1.5),
        ((*ROW, "fn"), -1),
        ((*ROW, "tn"), None),
        ((*ROW, "tp"), True),
        ((*ROW, "fp"), 2**63),
        ((*ROW, "tp"), 10**400),
        ((*ROW, "label"), "liver"),
        (("cases", 0, "labels"), []),
        (("cases", 0, "advice"), 99),
    ],
)
def test_a_record_of_schema_1_that_makes_no_sense_is_refused(path, value):
    """Counts of another kind, or that are not the case's pixels: no number comes of them."""
    record = json.loads((RECORDS / "batch.json").read_text())
    with pytest.raises(UsageError, match="not a whole record") as caught:
        from_dict(changed(record, path, value))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("family", "path", "value", "said"),
    [
        ("masks", ("cases", 0, "counted"), 7, "pixels, not 7"),
        ("masks", ("cases", 0, "measured"), {}, "has no matrix"),
        ("masks", ("cases", 0, "measured", "matrix", 0, "label"), 1, "no row of one image"),
        ("masks", ("cases", 0, "pixel_size", "mm3"), 1e308, "pixel_size"),
        ("masks", ("cases", 0, "advice"), 99, "advice"),
        ("lengths", ("cases", 0, "spacing"), [0.5], "no steps along 2 axes"),
        ("lengths", ("cases", 0, "spacing"), [], "no steps along 2 axes"),
        ("lengths", ("cases", 0, "spacing", 0), 0.0, "no steps along 2 axes"),
        ("lengths", ("cases", 0, "spacing", 1), 1e308, "spacing"),
        ("lengths", ("cases", 0, "shape", 1), 2, "lie outside of the mask"),
        ("lengths", (*PLACE, "reference_sums"), [1], "along other axes"),
        ("lengths", (*PLACE, "reference"), 1, "lie outside of the mask"),
        ("lengths", ("cases", 0, "measured", "place"), ONE_AXIS, "along 1 axes, where there are 2"),
        ("maps", ("cases", 0, "counted"), 7, "pixels, not 7"),
        ("maps", ("cases", 0, "counted"), 2**60, "more than any"),
        ("maps", ("cases", 0, "measured"), {}, "has no soft"),
        ("maps", ("cases", 0, "measured", "soft", -1, "table"), [[4]], "of 1 channels, not 3"),
        ("maps", ("cases", 0, "measured", "soft", 0, "inside", 0), 2**62, "pixels, not 4"),
        ("maps", ("settings", "soft", "ce_weight"), 1e308, "settings.soft"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(family, path, value, said):
    """Each part may be of its type, and together they are of no run: no number comes of them."""
    record = json.loads(REPORTS[family]().render("json"))
    with pytest.raises(UsageError, match="not a whole record") as caught:
        from_dict(changed(record, path, value))
    assert said in str(caught.value)


def test_several_cases_are_a_run():
    """A record of several cases that lost what sums it up is summed up again, not shown as one case."""
    record = json.loads(report_on_masks().render("json"))
    del record["summary"]["bootstrap"]
    assert rendered(from_dict(record)) == rendered(report_on_masks())


MARK = "a place for something else"
POISONS = [
    "null",
    "NaN",
    "-1",
    "0",
    "1e400",
    "1e308",
    '"x"',
    '"\\ud800"',
    "[]",
    "{}",
    "true",
    str(2**70),
    str(10**400),
]
POISONS += [f'"{hex(2**1100)}"', f'"{hex(2**20_000)}"']
#: What is made again of what was measured, so that nobody reads it; of schema 1 rows are read.
MADE = {"averages", "undefined", "overall", "checks", "channels"}


def all_places(value, path=()):
    """Yield the path of every value that is read; of a list of numbers, that of the first and the last."""
    is_made = path[2:3] and path[0] == "cases" and path[2] in MADE
    if is_made or (path[:1] == ("summary",) and path[1:2] not in {(), ("gates",), ("notes",)}):
        return
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from all_places(each, (*path, key))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            if at in {0, len(value) - 1} or isinstance(each, (dict, list)):
                yield from all_places(each, (*path, at))


def rendered_or_refused(path):
    """Return every form of a record, or the hint with which it is refused."""
    try:
        return rendered(read_report(path)), ""
    except UsageError as error:
        return {}, error.hint


@pytest.mark.parametrize("family", [*REPORTS, "schema 1"])
def test_nothing_in_a_record_is_a_traceback(family, tmp_path):
    """Whatever stands in whatever place of a record, it is rendered without a NaN, or refused with a hint.

    A sample of all places: those that are read, with everything that may stand there.
    """
    known = (
        (RECORDS / "single.json").read_text() if family == "schema 1" else REPORTS[family]().render("json")
    )
    record, path = json.loads(known), tmp_path / "scores.json"
    every = [(place, poison) for place in all_places(record) for poison in POISONS]
    for place, poison in random.Random(0).sample(every, 60):  # noqa: S311 - no secret
        path.write_text(json.dumps(changed(record, place, MARK)).replace(f'"{MARK}"', poison))
        forms, hint = rendered_or_refused(path)
        assert bool(forms) != bool(hint), (place, poison)
        shown = "".join(forms.values()).replace('"empty_distance": "inf"', "")
        assert not re.search(r"\b(nan|NaN|inf|Infinity)\b", shown), (place, poison)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"labels": {"0": "nothing", "1": "liver"}}, "it is no report, but looks like a file of labels"),
        ({"a": 1, "b": 2}, "it is no report: it has no 'schema', but 'a', 'b'"),
        ([], "it is no report, but a list"),
        ({"schema": 9}, "its schema is 9"),
        ({"schema": 2}, "it is not a whole record ('settings' is missing)"),
    ],
)
def test_what_is_no_report_is_called_what_it_is(content, said, tmp_path):
    """In words of the file, without those of Python; the hint names all that is read."""
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError) as caught:
        read_report(path)
    assert str(caught.value).removeprefix(f"{path}: ").startswith(said)
    assert caught.value.hint.endswith("or the summary.json of nnU-Net.")


def test_a_damaged_record_ends_the_command(tmp_path):
    """`dicecli report` says what is wrong, and where, and what to give instead: exit code 2, and no report."""
    record = json.loads(report_on_masks().render("json"))
    path = tmp_path / "scores.json"
    path.write_text(json.dumps(changed(record, ("cases", 0, "measured", "matrix", 0, "pixels", 0), -1)))
    done = runner().invoke(cli, ["report", str(path)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert "cases[0].measured.matrix[0].pixels[0] is -1" in done.stderr
    assert "Hint: " in done.stderr
