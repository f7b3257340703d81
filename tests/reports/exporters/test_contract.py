"""Contract of every exporter, and golden outputs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain import is_plain

from dicecli.plugins import load, own
from dicecli.records.cases import Case
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, score_many


@pytest.fixture(scope="module")
def report():
    """Three cases: one ordinary, one with undefined values and a nasty name, one that fails."""
    first = np.array([[0, 1, 1, 2], [0, 1, 2, 2]])
    second = np.array([[0, 1, 2, 2], [0, 0, 2, 2]])
    cases = [
        Case("ordinary", first, second),
        Case("|pipe| [b]x[/b] =1+1 \x1b[31m", np.zeros((2, 4), int), np.zeros((2, 4), int)),
        Case("broken", np.zeros((2, 2), int), second),
    ]
    labels = {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}
    return score_many(cases, make_settings(labels=labels))


@pytest.mark.parametrize("name", own("exporters"))
def test_an_exporter_keeps_the_contract(name, report):
    """It has suffixes that no other has, renders text that ends with a newline, twice the same, and every
    case stands in it.
    """
    exporter = load("exporters", name)
    others = [
        suffix for other in own("exporters") if other != name for suffix in load("exporters", other).SUFFIXES
    ]
    assert exporter.SUFFIXES
    assert not set(exporter.SUFFIXES) & set(others)
    text = exporter.render(report)
    assert text == exporter.render(report)
    assert text.endswith("\n")
    assert "ordinary" in text or name == "table"
    assert "ShapeMismatch" in text
    assert is_plain(text), "names pass through dicecli.reports.text.inert where people read them"


@pytest.mark.parametrize("name", own("exporters"))
@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("cases", [0, 1, 3])
def test_an_exporter_renders_runs_of_any_size(name, verbose, cases, report):
    """No case, one, or several, shown as one case or summed up: text, twice the same, and inert."""
    exporter = load("exporters", name)
    for is_batch in (True,) if cases != 1 else (True, False):
        part = Report(report.results[:cases], report.settings, is_batch=is_batch)
        text = exporter.render(part, width=80, colour=False, verbose=verbose)
        assert text == exporter.render(part, width=80, colour=False, verbose=verbose)
        assert text.endswith("\n")
        assert is_plain(text)
        if hasattr(exporter, "render_summary") and is_batch:
            summary = exporter.render_summary(part)
            assert summary == exporter.render_summary(part)
            assert summary.endswith("\n")
            assert is_plain(summary)


@pytest.mark.parametrize("name", own("exporters"))
def test_the_output_is_the_golden_one(name, report, golden):
    """Each format's bytes are those kept in tests/golden: a change of output is a change that is seen."""
    exporter = load("exporters", name)
    golden(f"report{exporter.SUFFIXES[0]}", exporter.render(report))


def test_machine_formats_have_null_where_undefined(report):
    """Undefined is null in JSON; the summary counts what was left out and how the averages are defined."""
    record = json.loads(load("exporters", "json").render(report))
    assert record["cases"][1]["labels"][0]["dice"] is None
    macro = record["summary"]["averages"]["macro-imagewise"]
    assert macro["undefined"]["dice"] == 2
    assert macro["definition"]
    assert 3 == record["summary"]["expected"] == record["summary"]["scored"] + record["summary"]["failed"]


def whole(record):
    """Write a record at once, with an indent of two; what was measured of a case stands in one line."""
    lines = []
    for case in record["cases"]:
        if "measured" in case:
            lines.append(json.dumps(case["measured"], separators=(",", ":")))
            case["measured"] = f"line {len(lines)}"
    text = json.dumps(record, indent=2) + "\n"
    for number, line in enumerate(lines, 1):
        text = text.replace(f'"line {number}"', line)
    return text


def test_json_is_the_record_however_many_cases_there_are(report):
    """Written case by case, JSON is byte for byte what writing the whole record at once gives."""
    for results in (report.results, report.results[:1], []):
        one = Report(results, report.settings, is_batch=True)
        text = load("exporters", "json").render(one)
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
