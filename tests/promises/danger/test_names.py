"""Names name and do nothing else: every hostile one, in every output that there is."""

from __future__ import annotations

import csv
import io
import json
import os
from contextlib import chdir
from dataclasses import replace
from functools import cache

import make
import numpy as np
import pytest
from click import ClickException
from hostile import NAMES, TITLES, acting, in_log, missing, on_terminal, rendered
from hypothesis import given
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.cli.main import COMMANDS
from dicecli.cli.outputs import PICTURES
from dicecli.plugins import having, load, own
from dicecli.records.cases import Case, Failed
from dicecli.reports.look import Look
from dicecli.reports.parts import PARTS
from dicecli.reports.report import Report
from dicecli.reports.text import inert, of_cell, of_json, out_of_cell
from dicecli.runs.matrix_files import read_matrix
from dicecli.runs.scoring import make_settings, score_many

needs_posix = pytest.mark.skipif(os.name != "posix", reason="names are freer elsewhere")
#: What labels are called: not all, for a table of confusions has a cell for each two of them.
CLASSES = [*TITLES[::6], "'=1+1", "_hidden ##[error]x", "::error::x", "@name $x$ and $y$"]
FEW = CLASSES[-6:]
#: What cases are grouped by.
COLUMN = "=fold ::error::x"
WIDE = Look(width=4000, verbose=True)


def masks_of(names):
    """Return a prediction and a reference of labels that are called so, and settings that say it.

    Three rows of every label; in the second the prediction calls each the next one.
    """
    reference = np.tile(np.arange(len(names) + 1, dtype=np.uint8), (3, 1))
    prediction = reference.copy()
    prediction[1] = np.roll(reference[1], 1)
    labels = {"0": "nothing"} | {str(at): name for at, name in enumerate(names, 1)}
    return (
        prediction,
        reference,
        {"labels": labels, "regions": {f"{name} too": [1, 2] for name in names[-3:]}},
    )


# Reports


@cache
def scored(reads):
    """Score cases of every name, half of them broken, over labels of every name, in groups of every name."""
    names = CLASSES if reads == "labels" else FEW
    prediction, reference, scheme = masks_of(names)
    if reads == "labels":
        settings = make_settings(labels=scheme, group_by=COLUMN, per_slice=True)
    else:
        prediction = np.moveaxis(np.eye(len(names) + 1)[prediction], -1, 0) * 0.5 + 0.5 / (len(names) + 1)
        channels = ",".join(map(str, range(len(names) + 1)))
        settings = make_settings(labels=scheme, group_by=COLUMN, soft=True, channels=channels)
    cases = [Case("all", prediction, reference, columns=((COLUMN, "@all"),))]
    cases += [Case(name, prediction, reference[:2], columns=((COLUMN, name),)) for name in TITLES]
    return score_many(cases, settings)


@cache
def sampled():
    """Return accuracy and areas of a map of classes of every name."""
    n = len(CLASSES) + 1
    return dicecli.area(
        np.eye(n, dtype=int) * 9 + 1, dict.fromkeys(range(n), 100), labels=masks_of(CLASSES)[2]
    )


def rendered_parts():
    """Yield every part that an exporter renders as text, of masks and of maps, and every page on areas."""
    for form in own("exporters"):
        exporter = load("exporters", form)
        for reads in ("labels", "probabilities"):
            if reads in getattr(exporter, "READS", (reads,)) and form not in PICTURES:
                yield from ((form, part, reads) for part in exporter.PARTS if reads in PARTS[part].reads)
        if hasattr(exporter, "of_area"):
            yield form, "area", "labels"


#: A table folds names that are longer, between the cells of other columns.
_FOLDED = 36


@pytest.mark.parametrize(("form", "part", "reads"), [*rendered_parts()])
def test_every_part_of_every_exporter(form, part, reads):
    """Human outputs and CSV: inert; JSON keeps names whole. Every name is shown whole in the form it is in."""
    exporter = load("exporters", form)
    text = exporter.of_area(sampled(), WIDE) if part == "area" else exporter.render(scored(reads), part, WIDE)
    assert [] == acting(form, text)
    named = TITLES if part == "report" else FEW if reads == "probabilities" else CLASSES
    if form == "table" and part in {"confusion", "area"}:
        named = [name for name in named if len(inert(name)) <= _FOLDED]
    assert [] == missing(form, text, named)


def test_reports_of_one_case():
    """The report on a single case, which has its name as a title, and the error of one that failed."""
    prediction, reference, scheme = masks_of(FEW)
    texts, settings = having("exporters", "report"), make_settings(labels=scheme)
    for at, name in enumerate(TITLES):
        report = score_many([Case(name, prediction[: 2 + at // len(texts) % 2], reference)], settings)
        form = texts[at % len(texts)]
        # A file of results may call an error as it likes.
        errors = [replace(each, error=name) if isinstance(each, Failed) else each for each in report.results]
        text = Report(errors, settings).render(form, look=WIDE)
        assert [] == acting(form, text)
        assert form in {"table", "nnunet"} or [] == missing(form, text, [name])


def test_a_notebook_shows_names():
    """What Python and a notebook say of a report, of its rows and of a map is inert."""
    report = scored("labels")
    assert [] == acting("html", report._repr_html_())
    said = [repr(report), repr(sampled()), *(repr(report[at]) for at in range(1, 12))]
    assert [] == [each for text in said for each in (*on_terminal(text), *in_log(text))]


@pytest.mark.parametrize("draw", ["curve", "confusion", "values"])
def test_pictures(draw):
    """Names in pictures are text: nothing is set as a formula, and no legend leaves one out."""
    pytest.importorskip("matplotlib")
    from matplotlib.text import Text

    from dicecli.reports import figures

    if draw == "curve":
        figure = figures.curves_figure(scored("probabilities").curves())
        assert len(figure.axes[0].get_legend().get_texts()) == len(FEW) + 4
    elif draw == "confusion":
        names = [name for name in TITLES if "$" in name or name.startswith("_")]
        matrix = dicecli.ConfusionMatrix(tuple(range(len(names))), np.eye(len(names), dtype=int))
        figure = figures.confusion_figure(matrix, dict(enumerate(names)))
    else:
        figure = figures.values_figure(scored("labels"), "dice")
    texts = [each.get_text() for each in figure.findobj(Text)]
    assert [] == [text for text in texts if text.replace(r"\$", "").count("$") or [*on_terminal(text)]]


# Commands

#: What the command line itself has GitHub do.
OWN = ("::error title=dicecli gate failed::", "::warning title=dicecli::")
#: Those that are text, which a CSV of pairs holds.
TEXTS = [name for name in NAMES if not any("\ud800" <= char <= "\udfff" for char in name)]
#: Names where each is a run of its own.
SOME = [*NAMES[::7], "::stop-commands::x"]


class Scene:
    """A folder with files of every name, half of the masks broken, and what commands say of it."""

    def __init__(self, folder):
        self.folder, self.run = folder, runner()
        prediction, reference, scheme = masks_of(FEW)
        pairs = [("case", "prediction", "reference", COLUMN)]
        for at, name in enumerate(NAMES):
            for side, mask in (("p", prediction), ("r", reference)):
                path = folder / side / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                make.png(path, mask)
            if at % 2:
                (folder / "p" / f"{name}.png").write_bytes(b"this is text")
            if name in TEXTS:
                pairs.append((f"{name} too", f"p/{name}.png", f"r/{name}.png", name))
        with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(pairs)
        (folder / "labels.json").write_text(json.dumps(scheme), encoding="utf-8")

    def calls(self, *words, form="table", names=(), **environment):
        """Call a command, and hold what it says against all that may act: each of the names is shown whole."""
        done = self.run.invoke(
            cli, [*map(str, words)], env={"COLUMNS": "4000", "GITHUB_ACTIONS": "true"} | environment
        )
        assert done.exception is None or isinstance(done.exception, SystemExit | ClickException), (
            words,
            done,
        )
        said = [line for line in done.stderr.split("\n") if not line.startswith(OWN)]
        if isinstance(done.exception, ClickException):
            done.exception.show(file=(shown := io.StringIO()))
            said.append(shown.getvalue())
        errors = "\n".join(said)
        acts = [*(acting(form, done.stdout) if done.stdout else ()), *acting("table", errors)]
        assert [] == acts, words
        lost = missing(form, done.stdout, names) if done.stdout else names
        assert [] == [name for name in lost if missing("table", errors, [name])], (
            words,
            done.stdout[:300],
            errors[:900],
        )
        return done


def score(scene):
    for at, name in enumerate(NAMES):
        form = forms("score")[at // 2 % len(forms("score"))]
        scene.calls("score", f"p/{name}.png", f"r/{name}.png", "-v", "-f", form, form=form, names=[name])


def batch(scene):
    words = ("batch", "--pairs", "pairs.csv", "-j", "1", "--labels", "labels.json")
    files = ("-o", "results.json", "--confusion", "sample.json", "--confusion", "sample.csv")
    scene.calls(*words, "-v", *files, "--group-by", COLUMN, names=TEXTS)
    scene.calls(*words, "--dry-run", names=TEXTS)
    gates = [word for name in FEW if "[" not in name for word in ("--fail-under", f"dice[{name}]=1")]
    summary = scene.folder / "summary.md"
    done = scene.calls(*words, *gates, "--github", "-q", GITHUB_STEP_SUMMARY=str(summary))
    told = [line for line in done.stderr.split("\n") if line.startswith(OWN)]
    assert len(told) >= len(gates) // 2
    assert all(line.count("::") == 2 for line in told)
    assert [] == acting("markdown", summary.read_text(encoding="utf-8"))


def soft(scene):
    prediction, reference, _ = masks_of(FEW[:2])
    for at, name in enumerate(SOME):
        form = ("table", "csv", "json", "markdown", "html", "junit")[at % 6]
        np.save(scene.folder / f"{name}.npy", np.moveaxis(np.eye(3)[prediction], -1, 0) * 0.7 + 0.1)
        make.png(scene.folder / f"{name} r.png", reference)
        scene.calls("soft", "-v", "-f", form, "--", f"{name}.npy", f"{name} r.png", form=form, names=[name])


def points(scene):
    prediction, _, _ = masks_of(FEW)
    for at, name in enumerate(SOME):
        form = forms("points")[at % len(forms("points"))]
        make.geotiff(scene.folder / f"{name}.tif", prediction)
        with (scene.folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("x", "y", ascii(name)), (600005, 5799995, FEW[0])])
        words, sides = ("points", "--labels", "labels.json", "-v", "-f", form), (f"{name}.tif", f"{name}.csv")
        scene.calls(*words, "--class", ascii(name), "--", *sides, form=form, names=[name])
        scene.calls(*words, "--class", name, "--", *sides, form=form, names=[name])


def report(scene):
    scene.calls("report", "results.json", "-v", COLUMNS="60")
    for name in SOME:
        scene.calls("report", "results.json", "--group-by", name, names=[name])


def explain(scene):
    scene.calls("explain", "results.json", *(f"dice[{name}]" for name in FEW if "[" not in name))
    for name in SOME:
        scene.calls("explain", "results.json", f"dice[{name}x]", names=[name])


def area(scene):
    areas = "\n".join(["label,pixels", *(f"{label},100" for label in range(len(FEW) + 1))])
    (scene.folder / "areas.csv").write_text(areas, encoding="utf-8")
    for form in forms("area"):
        words = ("area", "sample.json", "--areas", "areas.csv", "-f", form)
        scene.calls(*words, form=form, names=[name for name in FEW if len(inert(name)) <= _FOLDED])
    formulas = {name for name in FEW if name.startswith(("'=", "="))}
    assert formulas
    assert formulas <= {*read_matrix("sample.csv")[1].values()}
    for name in SOME:
        scene.calls("area", "sample.csv", "--areas", f"{name}.csv", names=[name])


def inspect(scene):
    files = [f"p/{name}.png" for name in NAMES]
    for form in forms("inspect"):
        scene.calls("inspect", *files, "--labels", "labels.json", "-f", form, form=form, names=NAMES)
        scene.calls("inspect", "p", "-v", "-f", form, form=form, names=NAMES)
    for name in SOME:
        scene.calls("inspect", f"p/{name}.png", f"r/{name}.png", names=[name])


def metrics(scene):
    for name in SOME:
        scene.calls("metrics", "--", name)


def labels(scene):
    for form in forms("labels"):
        named = FEW if form != "table" else [name for name in FEW if len(name) < 30]
        scene.calls("labels", "labels.json", "-f", form, form=form, names=named)
    for name in SOME:
        scene.calls("labels", "--", name, names=[name])


def config(scene):
    lines = f"group-by = {json.dumps(' '.join(FEW))}\n"
    (scene.folder / "dicecli.toml").write_text(lines, encoding="utf-8")
    for form in forms("config"):
        scene.calls("config", "batch", "-f", form, form=form, names=FEW)
    (scene.folder / "dicecli.toml").unlink()


#: What each command is tried with, by its name.
CALLS = {
    each.__name__: each
    for each in (batch, score, soft, points, report, explain, area, inspect, metrics, labels, config)
}


def forms(command):
    """Return the forms of what a command prints."""
    (found,) = (each for each in cli.get_command(None, command).params if each.name == "format_name")
    return [*found.type.choices]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Make the folder, and results of it."""
    made = Scene(tmp_path_factory.mktemp("names"))
    with chdir(made.folder):
        batch(made)
    return made


@needs_posix
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command(scene, command, monkeypatch):
    """File names `::stop-commands::x.png`, `##[error]x` in CI: inert where a line is printed under GitHub
    Actions; so is every other name, in every form of what every command prints, and on standard error.
    """
    monkeypatch.chdir(scene.folder)
    if command != "batch":  # which has made what the others take
        CALLS[command](scene)


@needs_posix
@pytest.mark.parametrize("name", SOME)
def test_words_of_the_command_line(scene, name, monkeypatch):
    """A word that is no command, no option, no value of one: the error shows it whole, and nothing acts."""
    monkeypatch.chdir(scene.folder)
    scene.calls(name.lstrip("-"), names=[name.lstrip("-")])
    for command in COMMANDS:
        scene.calls(command, f"--{name}", names=[name.lstrip("-").partition("=")[0]])
    scene.calls("batch", "p", "r", "--undefined", name, names=[name])


@needs_posix
def test_names_inside_files(scene, monkeypatch):
    """What a file calls its place is inert."""
    monkeypatch.chdir(scene.folder)
    crs = (
        'PROJCS["::error::x",GEOGCS["g",DATUM["d",SPHEROID["s",6378137,298.25]],PRIMEM["g",0],'
        'UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],UNIT["##[group]x",1]]'
    )
    make.geotiff(scene.folder / "place.tif", masks_of(FEW)[0], crs=crs)
    scene.calls("inspect", "place.tif", names=["::error::x"])


def test_names_of_packages():
    """What an installed package calls a metric, and says of it, is inert in the list."""
    from dicecli.cli.metrics import _listed

    assert [] == [each for name in SOME for each in acting("table", _listed(name, f"is {name}", 20))]


@needs_posix
def test_names_where_no_command_is_called(tmp_path, monkeypatch):
    """What is proposed with the files of a folder is inert, whatever these are called."""
    monkeypatch.chdir(tmp_path)
    for at, name in enumerate(NAMES):
        (tmp_path / str(at)).mkdir()
        monkeypatch.chdir(tmp_path / str(at))
        for side in ("prediction", "reference"):
            path = tmp_path / str(at) / f"{name}_{side}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        done = runner().invoke(cli, [], env={"GITHUB_ACTIONS": "true"})
        assert [] == acting("table", done.stderr)
        assert "score" in done.stderr


# One text


SIGNS = "ab1=-+@;,|' \":#[.x&$~!%\uff1d\u0301\u202e"


@given(st.text(SIGNS), st.text(SIGNS))
def test_a_cell_of_any_text(text, other):
    """`x;=HYPERLINK(…).png` in CSV: inert, whatever the separator; texts that differ stay so, and come back."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(["first", of_cell(text), "last"])
    assert [] == acting("csv", written.getvalue())
    assert inert(text) == inert(out_of_cell(of_cell(text)))
    assert (inert(text) == inert(other)) == (of_cell(text) == of_cell(other))


@given(st.text(SIGNS + "gh-12 ://w.deadbef_:*`<>\\{}"))
def test_markdown_of_any_text(text):
    """`@name` in Markdown: inert, and what is seen is the name."""
    from dicecli.reports.exporters.markdown import escaped

    source = f"| a |\n| --- |\n| {escaped(text)} |\n"
    assert [] == acting("markdown", source)
    assert inert(text).strip(" ") == rendered(source).blocks[-1].strip(" \n")


@given(st.dictionaries(st.text(SIGNS), st.text()))
def test_json_of_any_text(content):
    """JSON keeps names whole, and is inert in a log."""
    for is_ascii in (True, False):
        text = of_json(json.dumps(content, ensure_ascii=is_ascii))
        assert content == json.loads(text)
        assert [] == acting("json", text)


@pytest.mark.parametrize(
    "name", ["plain", "a_b-c.d", "né 汉字🦴", "a: b", "std:x", "C# 7", "## heading", "a::1", "e\u0301"]
)
def test_a_plain_name_stays_as_it_is(name):
    """What is inert by itself is not changed."""
    assert name == inert(name) == of_cell(name)
