"""An exporter of an installed package, of 40 lines: one function serves whatever there is to report."""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint

import batches
import latex
import numpy as np
import pytest
from make import png
from plain import is_plain
from streams import runner

from dicecli import plugins
from dicecli.cli import choices, cli
from dicecli.records.cases import Case
from dicecli.reports.presentation import figure
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, score_many

SCHEME = {"labels": {"0": "background", "1": "liver & co", "2": "tumour"}, "regions": {"both": [1, 2]}}
FIRST, SECOND = np.array([[0, 1, 1, 2], [0, 1, 2, 2]]), np.array([[0, 1, 2, 2], [0, 0, 2, 2]])
#: Probabilities of the three labels.
MAP = np.moveaxis(np.eye(3)[FIRST] * 0.7 + 0.1, -1, 0)


@pytest.fixture(autouse=True)
def _installed(monkeypatch):
    """Let it be an exporter that a package brings."""
    entry = EntryPoint("latex", "latex", "dicecli.exporters")
    monkeypatch.setitem(plugins._entries("exporters"), "latex", entry)
    anew = plugins.installed.__wrapped__
    for module in (plugins, choices):
        monkeypatch.setattr(module, "installed", anew)
    # What a command line has asked for once it knows from then on.
    for name in ("score", "batch", "soft", "report"):
        command = cli.get_command(None, name)
        for option in (each for each in command.params if each.name == "format_name"):
            monkeypatch.setattr(option.type, "choices", tuple(option.type.choices))


@pytest.fixture(params=["masks", "maps"])
def report(request):
    """Three cases, of which one fails, of masks or of maps."""
    prediction = FIRST if request.param == "masks" else MAP
    cases = [Case(name, prediction, SECOND) for name in ("a_1", "b")]
    cases.append(Case("broken", prediction[..., :2], SECOND))
    is_soft = request.param == "maps"
    settings = (
        make_settings(soft=True, labels=SCHEME, channels="0,1,2") if is_soft else make_settings(labels=SCHEME)
    )
    return score_many(cases, settings)


def rows_of(text):
    """Return the lines of every table, each as its cells."""
    tables = [part.split("\\end{tabular}")[0] for part in text.split("\\begin{tabular}")[1:]]
    lines = [line for table in tables for line in table.splitlines() if line.endswith(r" \\")]
    return [line.removesuffix(r" \\").split(" & ") for line in lines]


def test_it_is_short():
    """An exporter is a docstring, two tuples and a function: no more than 40 lines."""
    assert len(inspect.getsource(latex).splitlines()) <= 40


def test_one_case_has_its_rows_and_averages(report):
    """Every label and region with its values, and the averages."""
    one = Report(report.results[:1], report.settings, is_batch=False)
    rows = rows_of(one.render("latex"))
    (case,) = one.cases()
    for row in case.rows:
        values = [figure(row.values[each.name]) for each in one.shown]
        name = row.title.replace("&", r"\&")
        assert any(cells[1] == name and cells[-len(values) :] == values for cells in rows)
    for name, averages in case.averages.items():
        values = [figure(averages[each.name].value) for each in one.shown]
        assert any(cells[1] == name and cells[-len(values) :] == values for cells in rows)


@pytest.mark.parametrize("part", ["report", "summary"])
def test_many_cases_are_summed_up(part, report):
    """The averages over the run, the statistics over cases, and the case that failed."""
    text = report.render("latex", part)
    assert is_plain(text)
    rows = rows_of(text)
    for name, averages in report.averages.items():
        found = [cells for cells in rows if cells[0] == name]
        assert any(cells[2] == figure(averages[report.shown[0].name].value) for cells in found)
    assert any(cells[:3] == ["broken", "failed", "ShapeMismatch"] for cells in rows)
    assert "2 of 3 cases" in text


def test_a_failed_case_alone_says_why(report):
    """Its error, and what to do."""
    text = Report(report.results[2:], report.settings, is_batch=False).render("latex")
    assert "ShapeMismatch: " in text
    assert "hint: " in text


def test_the_command_line_knows_it(tmp_path):
    """-f latex prints it; -o and --summary know it by its suffix, of masks, maps and a report rendered again."""
    folder = batches.sound(tmp_path, 2)
    words = ["-f", "latex", "-o", tmp_path / "all.tex", "--summary", tmp_path / "summary.tex"]
    done = batches.call(*batches.both(folder), *words, "-o", tmp_path / "all.json", "-v")
    assert done.exit_code == 0
    assert done.stdout == (tmp_path / "all.tex").read_text()
    assert r"\section*{dice = f1 over cases}" in (tmp_path / "summary.tex").read_text()
    again = runner().invoke(cli, ["report", str(tmp_path / "all.json"), "-f", "latex", "-v"])
    assert again.stdout == done.stdout
    masks = {"p.png": FIRST, "r.png": SECOND}
    paths = [str(png(tmp_path / name, mask.astype(np.uint8))) for name, mask in masks.items()]
    one = runner().invoke(cli, ["score", *paths, "-v", "-f", "latex", "-o", str(tmp_path / "one.tex")])
    assert (one.exit_code, one.stdout) == (0, (tmp_path / "one.tex").read_text())
    assert ["1", "2"] == [
        cells[0] for cells in rows_of(one.stdout.partition("Confusion matrix")[0]) if cells[0].isdigit()
    ]
    np.save(tmp_path / "map.npy", MAP)
    soft = runner().invoke(cli, ["soft", str(tmp_path / "map.npy"), paths[1], "-f", "latex"])
    assert soft.exit_code == 0
    assert r"soft\_dice\_standard" in soft.stdout
