"""Contract of every exporter: one function for one case and many, masks and maps, every part; and golden outputs."""

from __future__ import annotations

import inspect
import itertools
import json
from functools import partial
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain import is_plain

from dicecli.cli import outputs
from dicecli.errors import UsageError
from dicecli.plugins import load, own
from dicecli.records.cases import Case
from dicecli.records.settings import CALLED
from dicecli.reports.look import Look, Part
from dicecli.reports.parts import PARTS
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, score_many

EXPORTERS = own("exporters")
#: Those of whole reports, which are texts; the others draw.
#: Those that do not name a case that has its numbers: a table sums them up, nnU-Net names files.
NAMELESS = ("table", "nnunet")
TEXTS = [each for each in EXPORTERS if "report" in load("exporters", each).PARTS]
PICTURES = [each for each in EXPORTERS if each not in TEXTS]
SCHEME = {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}
FIRST = np.array([[0, 1, 1, 2], [0, 1, 2, 2]])
SECOND = np.array([[0, 1, 2, 2], [0, 0, 2, 2]])
NOTHING, BROKEN = np.zeros((2, 4), int), np.zeros((2, 2), int)
NASTY = "|pipe| [b]x[/b] =1+1 \x1b[31m"
MASKS = [Case("ordinary", FIRST, SECOND), Case(NASTY, NOTHING, NOTHING), Case("broken", BROKEN, SECOND)]
#: Cases from which one on, how many, and whether they are summed up or one of them is shown alone.
SIZES = [(0, 1, False), (1, 1, False), (2, 1, False), (0, 0, True), (0, 1, True), (0, 3, True)]


def maps(labels):
    """Return probabilities of the three labels, the likeliest being these."""
    return np.moveaxis(np.eye(3)[labels] * 0.7 + 0.1, -1, 0)


@pytest.fixture(scope="module")
def report():
    """Score three cases: one ordinary, one with undefined values and a nasty name, one that fails."""
    return score_many(MASKS, make_settings(labels=SCHEME))


@pytest.fixture(scope="module")
def reports():
    """Score the same cases with all that a part may need, and maps of probabilities; by what is read."""
    asked = {each.asks: True for each in PARTS.values() if each.asks is not None}
    masks = score_many(MASKS, make_settings(labels=SCHEME, **asked))
    cases = [
        Case("ordinary", maps(FIRST), SECOND),
        Case(NASTY, maps(NOTHING), NOTHING),
        Case("broken", maps(BROKEN), SECOND),
    ]
    soft = score_many(cases, make_settings(soft=True, labels=SCHEME, channels="0,1,2", smooth=0.0))
    return {"labels": masks, "probabilities": soft}


def of_size(report, first, cases, is_batch):
    return Report(report.results[first : first + cases], report.settings, is_batch=is_batch)


def parts_of(name, reads):
    """Return the parts that an exporter renders of masks, or of maps."""
    exporter = load("exporters", name)
    is_read = reads in getattr(exporter, "READS", (reads,))
    return [each for each in exporter.PARTS if is_read and reads in PARTS[each].reads]


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_exporter_says_what_it_is(name):
    """It has suffixes that no other has, parts that a report has, and one function of three things."""
    exporter = load("exporters", name)
    others = {suffix for each in EXPORTERS if each != name for suffix in load("exporters", each).SUFFIXES}
    assert exporter.SUFFIXES
    assert not {*exporter.SUFFIXES} & others
    assert exporter.PARTS
    assert {*exporter.PARTS} <= {*get_args(Part)}
    assert ["report", "part", "look"] == [*inspect.signature(exporter.render).parameters]


@pytest.mark.parametrize("of", ["record", "rows", "render"])
def test_a_part_that_there_is_not_lists_those_that_there_are(of, reports):
    """In every form; JSON has no curve."""
    report = reports["labels"]
    call = {"record": report.record, "rows": report.rows, "render": partial(report.render, "json")}[of]
    for part in ("sumary", "curve")[: 1 if of == "rows" else 2]:
        with pytest.raises(UsageError, match=f"has no {part}") as error:
            call(part)
        assert "report, summary" in error.value.hint


@pytest.mark.parametrize("reads", ["labels", "probabilities"])
@pytest.mark.parametrize("name", TEXTS)
def test_every_case_stands_in_a_whole_report(name, reads, reports):
    """Each case is named, and why one has no numbers."""
    if "report" in parts_of(name, reads):
        text = reports[reads].render(name)
        assert "ordinary" in text or name in NAMELESS
        assert "ShapeMismatch" in text


@pytest.mark.parametrize("reads", ["labels", "probabilities"])
@pytest.mark.parametrize("name", TEXTS)
def test_an_exporter_renders_every_part_of_runs_of_any_size(name, reads, reports):
    """No case, one or several, shown as one case or summed up, on any terminal: inert text, twice the same."""
    looks = [Look(40, colour=False, verbose=True), Look(100, colour=False, verbose=False)]
    for size, part, look in itertools.product(SIZES, parts_of(name, reads), looks):
        run = of_size(reports[reads], *size)
        text = run.render(name, part, look)
        assert text == run.render(name, part, look)
        assert text == of_size(reports[reads], *size).render(name, part, look)
        assert text.endswith("\n")
        assert is_plain(text), "names pass through dicecli.reports.text.inert where people read them"


@pytest.mark.parametrize("reads", ["labels", "probabilities"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_case_without_numbers_alone(name, reads, reports):
    """One case that failed is shown with its error and what to do, in whatever form shows one case."""
    run = of_size(reports[reads], 2, 1, is_batch=False)
    for part in parts_of(name, reads):
        text = run.render(name, part)
        assert text.endswith("\n")
        assert "ShapeMismatch" in text or part != "report"


@pytest.mark.parametrize("reads", ["labels", "probabilities"])
@pytest.mark.parametrize("name", ["csv", "json", "junit"])
def test_machine_formats_pay_no_heed_to_the_look(name, reads, reports):
    """The same bytes on a wide terminal with colours as on a narrow one without."""
    for part in parts_of(name, reads):
        texts = {reports[reads].render(name, part, Look(n, n > 80, n > 80)) for n in (40, 200)}
        assert 1 == len(texts)


@pytest.mark.parametrize("name", EXPORTERS)
def test_a_part_that_it_has_not_is_refused(name, reports):
    """The error names those that it has; and why masks do not have one that is of maps, or maps one of masks."""
    report = reports["labels"]
    if name == "png":
        pytest.importorskip("matplotlib")
    for part in get_args(Part):
        if part not in load("exporters", name).PARTS:
            with pytest.raises(UsageError, match=f"{name} has no {part}") as caught:
                report.render(name, part)
            assert all(each in caught.value.hint for each in load("exporters", name).PARTS)
        for reads in {*reports} - {*PARTS[part].reads} if part in load("exporters", name).PARTS else ():
            run = reports[reads]
            for refused in (partial(run.render, name, part), partial(PARTS[part].check, run)):
                with pytest.raises(UsageError, match=CALLED[reads]):
                    refused()


def test_every_part_is_in_the_table_and_written_by_somebody():
    """The table has each part, with a name and an option of its own; it is checked as it is said to be."""
    assert [*get_args(Part)] == [*PARTS]
    for names in ([each.called for each in PARTS.values()], [each.option for each in PARTS.values()]):
        assert len({*names}) == len(PARTS)
    assert {*PARTS} == {part for name in EXPORTERS for part in load("exporters", name).PARTS}


def test_what_can_be_printed_is_a_whole_report():
    """`-f` has the exporters of whole reports, and no picture."""
    assert [*outputs.PICTURES] == PICTURES


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_every_part_of_runs_of_any_size(name, reports):
    """Of no case, and of several with names that are no formula: the same bytes each time."""
    pytest.importorskip("matplotlib")
    for reads, report in reports.items():
        for part in parts_of(name, reads):
            sizes = [of_size(report, 0, cases, is_batch=True) for cases in (0, 3)]
            pictures = [each.render(name, part) for each in (*sizes, report)]
            assert all(isinstance(each, bytes) for each in pictures)
            assert pictures[0] != pictures[1] == pictures[2]


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_exporter_changes_nothing_in_a_report(name, reports):
    """What others write after it is what they write without it."""
    if name in PICTURES:
        pytest.importorskip("matplotlib")
    for reads, run in reports.items():
        untouched, touched = (of_size(run, 0, 3, is_batch=True) for _ in range(2))
        for part in parts_of(name, reads):
            touched.render(name, part)
        for other in TEXTS:
            for part in parts_of(other, reads):
                assert untouched.render(other, part) == touched.render(other, part)


@pytest.mark.parametrize("name", TEXTS)
def test_the_output_is_the_golden_one(name, report, golden):
    """Each format's bytes are those kept in tests/golden: a change of output is a change that is seen."""
    exporter = load("exporters", name)
    golden(f"report{exporter.SUFFIXES[0]}", report.render(name, exporter.PARTS[0]))


def test_machine_formats_have_null_where_undefined(report):
    """Undefined is null in JSON; the summary counts what was left out and how the averages are defined."""
    record = json.loads(report.render("json"))
    assert record["cases"][1]["labels"][0]["dice"] is None
    macro = record["summary"]["averages"]["macro-imagewise"]
    assert macro["undefined"]["dice"] == 2
    assert macro["definition"]
    assert 3 == record["summary"]["expected"] == record["summary"]["scored"] + record["summary"]["failed"]
    assert record["summary"] == json.loads(report.render("json", "summary"))


def whole(record):
    """Write a record at once, with an indent of two; what nobody reads stands in one line."""
    lines = []
    for each in (*record["cases"], record["summary"]):
        for name in {"measured", "confusion"} & each.keys():
            lines.append(json.dumps(each[name], separators=(",", ":")))
            each[name] = f"line {len(lines)}"
    text = json.dumps(record, indent=2) + "\n"
    for number, line in enumerate(lines, 1):
        text = text.replace(f'"line {number}"', line)
    return text


@pytest.mark.parametrize("reads", ["labels", "probabilities"])
def test_json_is_the_record_however_many_cases_there_are(reads, reports):
    """Written case by case, JSON is byte for byte what writing the whole record at once gives."""
    for cases in (3, 1, 0):
        one = of_size(reports[reads], 0, cases, is_batch=True)
        text = one.render("json")
        assert whole(one.to_dict()) == text
        assert one.to_dict() == json.loads(text)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    )
)
def test_json_is_indented_as_the_standard_library_does(content):
    """The exporter's own way to indent gives the bytes of ``json.dumps``, whatever is in a record."""
    assert json.dumps(content, indent=2) == load("exporters", "json")._text(content)


def test_serial_yields_in_order():
    """The executor yields one result per item, in the items' order."""
    assert list(load("executors", "serial").run(lambda n: n * n, [1, 2, 3], jobs=4)) == [
        (0, 1),
        (1, 4),
        (2, 9),
    ]
