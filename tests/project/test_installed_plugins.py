"""A package that brings plugins of each kind is installed, and each of them is used through the command line.

Format, metric, family and exporter are the examples of docs/extending.md.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import extending
import places
import pytest
from record_schema import loaded

SOURCES = places.SUPPORT / "extra_plugins"
#: The kinds of plugins, and the names of those that the package brings.
BROUGHT = {
    "formats": ("digits",),
    "metrics": ("jaccard_distance", "tversky", "edge_ratio"),
    "statistics": ("edges",),
    "backends": ("plain",),
    "executors": ("backwards",),
    "exporters": ("latex",),
    "layouts": ("acdc",),
    "legends": ("semicolons",),
}
MODULES = {"jaccard_distance": "sets", "tversky": "sets", "edge_ratio": "outline"}
MASKS = {
    "predictions": {"a": "0011\n0011\n", "b": "0110\n0110\n"},
    "references": {"a": "0011\n0001\n", "b": "0111\n0100\n"},
}


def wheel(folder):
    """Build the package as a wheel, by the specification alone: an archive of modules and three texts."""
    files = {f"extra_plugins/{path.name}": path.read_bytes() for path in sorted(SOURCES.glob("*.py"))}
    examples = {path.rpartition("/")[2]: text for path, text in extending.FILES.items()}
    files |= {f"extra_plugins/{name}": text.encode() for name, text in examples.items()}
    info = "extra_plugins-1.0.dist-info"
    entries = ""
    for kind, names in BROUGHT.items():
        lines = [f"{name} = extra_plugins.{MODULES.get(name, name)}\n" for name in names]
        entries += "".join([f"[dicecli.{kind}]\n", *lines])
    files[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: extra-plugins\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/entry_points.txt"] = entries.encode()
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / "extra_plugins-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Install the package into a folder of its own, and write masks in its format beside it."""
    folder = tmp_path_factory.mktemp("installed")
    words = ["install", "--quiet", "--no-index", "--no-deps", "--target", folder / "site", wheel(folder)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    for side, masks in MASKS.items():
        (folder / side).mkdir()
        for name, text in masks.items():
            (folder / side / f"{name}.digits").write_text(f"digits 2 4\n{text}", encoding="ascii")
    return folder


def run(place, *words, with_package=True):
    """Run the command with the package, or without it."""
    environment = {**os.environ}
    environment.pop("PYTHONPATH", None)
    if with_package:
        environment["PYTHONPATH"] = str(place / "site")
    return subprocess.run(
        [sys.executable, "-m", "dicecli", *words],
        cwd=place,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_one_of_each_kind_in_one_run(place):
    """Format, metrics, backend, executor and exporter of the package make one report; its numbers are right."""
    words = ["--executor", "backwards", "--device", "plain", "-f", "latex"]
    words += ["-m", "jaccard_distance", "-m", "tversky_0.25"]
    done = run(
        place, "batch", "predictions", "references", *words, "-o", "table.tex", "-o", "record.json", "-q"
    )
    assert (0, "") == (done.returncode, done.stderr)
    # a: 3 right, 1 false alarm; b: 3 right, 1 false alarm, 1 miss. All cases: 3 / 9, and 6 / 7.25.
    lines = done.stdout.splitlines()
    assert r"average & over & jaccard\_distance & 95 \% CI & SD & tversky\_0.25 \\" in lines
    assert any(
        line.startswith("macro & 1 label & 0.3333 & ") and line.endswith(r"& 0.8276 \\") for line in lines
    )
    written = (place / "table.tex").read_text(encoding="utf-8").splitlines()
    assert r"1 &  & b 0.4000, a 0.2500 \\" in written
    assert lines[0] == written[0]
    record = loaded((place / "record.json").read_text(encoding="utf-8"))
    assert "plain" == record["settings"]["device"]
    assert [(3, 1, 0), (3, 1, 1)] == [
        tuple(case["labels"][0][name] for name in ("tp", "fp", "fn")) for case in record["cases"]
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_workers_know_the_package(place, jobs):
    """The same cases in worker processes, which load the format and the backend anew, have the same bytes."""
    words = ["batch", "predictions", "references", "-m", "jaccard_distance", "-f", "csv", "-q", "--device"]
    alone = run(place, *words, "plain", "--executor", "serial")
    several = run(place, *words, "plain", "--jobs", str(jobs))
    usual = run(place, *words, "cpu")
    assert (0, "") == (alone.returncode, alone.stderr)
    assert alone.stdout == several.stdout == usual.stdout


#: The faces of label 1 in reference and prediction, of both cases: counted by hand.
FACES = {"a": (3, 2), "b": (5, 4)}


def test_a_family_is_used_like_any_other(place):
    """Score, batch in processes or by a plugin, a configuration file: one ratio of what was measured."""
    pair = ("predictions/a.digits", "references/a.digits")
    assert "0.6667" in run(place, "score", *pair, "-m", "edge_ratio").stdout
    beside = run(place, "score", *pair, "-m", "all", "-m", "edge_ratio", "-f", "csv").stdout.splitlines()[0]
    assert ["edge_ratio", "error", "notes"] == beside.split(",")[-3:]
    words = ["batch", "predictions", "references", "-q", "--executor"]
    settings = place / "dicecli.toml"
    settings.write_text('metric = ["Edge-Ratio", "dice"]\nformat = "csv"\n', encoding="utf-8")
    found = [run(place, *words, *each) for each in (["serial"], ["processes", "-j", "2"], ["backwards"])]
    settings.unlink()
    said = f"Note: options from {settings}: format, metric\n"
    assert [(0, said)] * 3 == [(each.returncode, each.stderr) for each in found]
    assert 1 == len({each.stdout for each in found})
    rows = csv.DictReader(io.StringIO(found[0].stdout))
    assert {name: n / of for name, (of, n) in FACES.items()} == {
        row["case"]: float(row["edge_ratio"]) for row in rows
    }


def test_what_a_family_measured_is_reported_where_the_package_is(place):
    """JSON has the measurements, and `report` makes the same numbers of them."""
    words = ["-m", "edge_ratio", "-o", "faces.json", "-q", "-f", "csv"]
    made = run(place, "batch", "predictions", "references", *words)
    assert (0, "") == (made.returncode, made.stderr)
    record = json.loads((place / "faces.json").read_text(encoding="utf-8"))
    assert FACES == {
        case["case"]: (row["reference"], row["prediction"])
        for case in record["cases"]
        for row in case["measured"]["edges"]
        if row["label"] == 1
    }
    assert made.stdout == run(place, "report", "faces.json", "-f", "csv").stdout
    assert '"edges"' in run(place, "report", "--schema").stdout


def test_a_metric_of_a_package_has_its_other_names(place):
    """Aliases find it as they find those of the folder: on the command line, and where it is explained."""
    pair = ("predictions/a.digits", "references/a.digits")
    assert "0.2500" in run(place, "score", *pair, "-m", "Jaccard loss").stdout
    assert "(fp + fn) / (tp + fp + fn)" in run(place, "metrics", "jaccard-loss").stdout


@pytest.mark.parametrize(
    ("kept", "said"), [((), "no metric 'edge_ratio'"), (("edges",), "no statistic 'edges'")]
)
def test_what_a_family_measured_is_refused_without_the_package(place, kept, said):
    """Whether the statistic was measured or its metric alone is asked for: it is named, and what to install."""
    words = ["-m", "edge_ratio", "-f", "json", "-q"]
    record = json.loads(run(place, "batch", "predictions", "references", *words).stdout)
    for case in record["cases"]:
        case["measured"] = {name: case["measured"][name] for name in ("matrix", *kept)}
    (place / "other.json").write_text(json.dumps(record), encoding="utf-8")
    done = run(place, "report", "other.json", with_package=False)
    assert (2, "") == (done.returncode, done.stdout)
    assert said in " ".join(done.stderr.split())
    assert "was written with a package" in done.stderr


def test_each_is_used_by_score_inspect_and_metrics(place):
    """One pair, its files inspected, and the metric explained; -v says what has counted."""
    pair = ("predictions/a.digits", "references/a.digits")
    done = run(place, "score", *pair, "--device", "plain", "-m", "jaccard-distance", "-v")
    assert 0 == done.returncode, done.stderr
    assert "0.2500" in done.stdout
    assert "Counted with plain Python in" in done.stderr
    assert "digits" in run(place, "inspect", pair[0]).stdout
    assert "(fp + fn) / (tp + fp + fn)" in run(place, "metrics", "jaccard_distance").stdout
    listed = " ".join(run(place, "metrics").stdout.split())
    assert re.search(
        "Of installed packages: edge_ratio By how much .* jaccard_distance Share of the union", listed
    )


def test_a_legend_is_told_by_its_content(place):
    """A form that a package brings is asked after those of the folder, and is listed with them."""
    (place / "labels.txt").write_text("0;background\n1;liver\n", encoding="utf-8")
    done = run(place, "labels", "labels.txt", "-f", "json")
    assert {"0": "background", "1": "liver"} == json.loads(done.stdout)["labels"], done.stderr
    assert "numbers and names between semicolons" in run(place, "labels").stdout
    assert "it is of no form" in run(place, "labels", "labels.txt", with_package=False).stderr


def test_help_and_configuration_know_them(place, tmp_path):
    """--help lists the names of installed plugins, and a configuration file may use them."""
    listed = run(place, "batch", "--help").stdout
    for kind in ("backends", "executors", "exporters", "layouts"):
        assert BROUGHT[kind][0] in listed, kind
    (tmp_path / "dicecli.toml").write_text('format = "latex"\nexecutor = "backwards"\n', encoding="utf-8")
    folders = [str(place / side) for side in MASKS]
    environment = {**os.environ, "PYTHONPATH": str(place / "site")}
    words = [sys.executable, "-m", "dicecli", "batch", *folders, "-q"]
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Dice 0.800 of label 1, pooled over 2 of 2 cases (95 \\% CI ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["score", "predictions/a.digits", "references/a.digits"],
            "the suffix '.digits' belongs to no format",
        ),
        (["batch", "predictions", "references"], "there is no mask in this folder"),
        (["batch", ".", ".", "-f", "latex"], "'latex' is not one of"),
        (["batch", ".", ".", "--executor", "backwards"], "'backwards' is not one of"),
        (["batch", ".", ".", "--device", "plain"], "'plain' is not one of"),
        (["metrics", "jaccard_distance"], "there is no metric 'jaccard_distance'"),
    ],
)
def test_without_the_package_each_is_refused_by_name(place, words, said):
    """What no installed package brings is an error that lists what is known."""
    done = run(place, *words, with_package=False)
    assert 0 < done.returncode < 4
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (["score", "predictions/a.digits", "site/extra_plugins/plain.py"], ".digits"),
        (["batch", "predictions", "references", "-o", "x.doc"], ".tex"),
        (["metrics", "jaccard_distances"], "jaccard_distance"),
        (["batch", ".", ".", "--executor", "sideways"], "backwards"),
    ],
)
def test_errors_name_what_is_installed(place, words, known):
    """Where a name or a suffix is unknown, those of installed packages are proposed, too."""
    done = run(place, *words)
    assert 0 < done.returncode < 4
    assert known in done.stderr


def test_its_report_is_read_without_it(place):
    """A record that was counted with the package is rendered where it is not installed."""
    made = run(place, "batch", "predictions", "references", "--device", "plain", "-o", "alone.json", "-q")
    assert 0 == made.returncode, made.stderr
    done = run(place, "report", "alone.json", "-f", "csv", with_package=False)
    assert (0, 3) == (done.returncode, len(done.stdout.splitlines())), done.stderr


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """Lay out a package whose entry points name modules that are not there, and a mask beside it."""
    folder = tmp_path_factory.mktemp("broken")
    info = folder / "site" / "half_a_package-1.0.dist-info"
    info.mkdir(parents=True)
    modules = {
        "bare": "",
        "exits": "import sys\nsys.exit()\n",
        "steals": "from dicecli.metrics import metric\n\n\n@metric(formula='', undefined='', source='')\n"
        "def dice(counts):\n    'Steal.'\n    return 0.125\n\n\nSUFFIXES = ('.st',)\nPARTS = ('report',)\nrender = str\n",
        "text": "SUFFIXES = '.bmp'\nopen_mask = open\n",
        "silent": "from dicecli.metrics import metric\n\n\n@metric(formula='', undefined='', source='')\n"
        "def silent(counts):\n    return 0.125\n",
    }
    (folder / "site" / "half_a_package").mkdir()
    for name, text in modules.items():
        (folder / "site" / "half_a_package" / f"{name}.py").write_text(text, encoding="utf-8")
    names = "".join(f"{name} = half_a_package.{name}\n" for name in ("lost", *modules))
    entries = "".join(f"[dicecli.{kind}]\n{names}\n" for kind in BROUGHT)
    (info / "entry_points.txt").write_text(entries, encoding="utf-8")
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: half-a-package\nVersion: 1.0\n", encoding="utf-8"
    )
    for side in MASKS:
        (folder / side).mkdir()
        shutil.copy(places.SAMPLES / f"lesion_{side[:-1]}.png", folder / side / "a.png")
        (folder / side / "notes.txt").write_text("no mask", encoding="utf-8")
    (folder / "x.bmp").write_bytes(b"BM" + bytes(60))
    return folder


#: What is wrong with a statistic: what stands instead of what in the example, and what the error says.
FAULTS = {
    "blank": (
        None,
        "",
        "it has no READS and no MEASURES and no OPTIONS and no halo and no begin and no done",
    ),
    "unmeasured": ("MEASURES =", "MEASURED =", "it has no MEASURES"),
    "listed": ('"label": Edges', '"label": list', "list'> is no frozen dataclass with zero() and +"),
    "thawed": ("frozen=True, ", "", "is no frozen dataclass"),
    "strange": ("reference: Whole", "reference: set[int]", "a field of its measurement Edges has no type of"),
    "unseen": ("prediction: Whole", "prediction: Row", "a field of its measurement Edges has no type of"),
    "sided": ('"label": Edges', '"side": Edges', "types by the kind of a row are expected"),
    "unread": ('READS = "labels"', 'READS = "pictures"', "labels or probabilities is expected"),
    "unset": ("[str, ...] = ()", "[str, ...] = ('hat',)", "a tuple of names of settings is expected"),
    "halts": ("return 1", "return 1 / 0", "has failed: ZeroDivisionError: division by zero"),
    "begins": ("return State(opened)", "return {}['x']", "has failed: KeyError: 'x'"),
    "adds": ("del mapped", "assert block is None, 'no'", "has failed: AssertionError: no"),
    "named": ("reference: Whole", "name: Whole", "has a field name, which records have of each row"),
    "negative": ("return 1", "return -1", "its halo is -1; a whole number from 0, or None, is expected"),
    "worded": ("return 1", "return 'x'", "its halo is 'x'; a whole number"),
    "counts_down": (
        "yield row, Edges(*faces)",
        "yield row, Edges(-1, 1)",
        "].reference is -1, where a number",
    ),
    "halves": ("yield row, Edges(*faces)", "yield row, Edges(0, 0.5)", "].prediction is 0.5, where a whole"),
    "mutters": ("def done(", "def notes(*_):\n    return [1]\n\n\ndef done(", "notes[0] is 1, where a text"),
    "ends": ("yield row, Edges(*faces)", "yield row, faces", "has failed: TypeError: it measures list"),
}


@pytest.fixture(scope="module")
def faulty(broken):
    """Lay out another package beside the broken one, with a family for each fault of its statistic."""
    info = broken / "site" / "faults-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faults\nVersion: 1.0\n", encoding="utf-8")
    statistic, metric = (
        extending.FILES[path] for path in ("dicecli/statistics/edges.py", "dicecli/metrics/outline.py")
    )
    entries = {"metrics": "", "statistics": ""}
    (broken / "site" / "faults").mkdir()
    for fault, (old, new, _) in {**FAULTS, "lost_one": ("", "", ""), "divides": ("", "", "")}.items():
        text = "" if old is None else statistic.replace(old, new)
        assert text != statistic or not old
        of = metric.replace("edge_ratio", f"{fault}_ratio").replace('of="edges"', f'of="{fault}"')
        of = of.replace("return edges", "return 1 / 0 * edges") if fault == "divides" else of
        for kind, name, content in (("metrics", f"{fault}_ratio", of), ("statistics", fault, text)):
            (broken / "site" / "faults" / f"{name}.py").write_text(content, encoding="utf-8")
            if name != "lost_one":
                entries[kind] += f"{name} = faults.{name}\n"
    lines = "".join(f"[dicecli.{kind}]\n{names}" for kind, names in entries.items())
    (info / "entry_points.txt").write_text(lines, encoding="utf-8")
    return broken


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_statistic_is_named_with_its_package(faulty, fault):
    """What lacks something, says what cannot be or fails amid a case ends it with an error, and no traceback."""
    done = run(faulty, "score", "predictions/a.png", "references/a.png", "-m", f"{fault}_ratio")
    assert (2, "") == (done.returncode, done.stdout), done.stderr
    said = " ".join(done.stderr.split())
    assert f"the statistic '{fault}' of the installed package faults " in said
    assert FAULTS[fault][2] in said
    assert "pip uninstall faults" in said
    assert "Traceback" not in said


def test_a_metric_whose_statistic_nobody_brings_is_named(faulty):
    """Its package has forgotten the entry of the statistic."""
    done = run(faulty, "score", "predictions/a.png", "references/a.png", "-m", "lost_one_ratio")
    assert (2, "") == (done.returncode, done.stdout), done.stderr
    assert "of the installed package faults is of the statistic 'lost_one', which neither" in done.stderr


def test_a_metric_that_fails_is_named_with_its_package(faulty):
    """Its own fault ends in an error, and no traceback."""
    for command in (
        ["score", "predictions/a.png", "references/a.png"],
        ["batch", "predictions", "references"],
    ):
        done = run(faulty, *command, "-q", "-m", "divides_ratio")
        assert (2, "") == (done.returncode, done.stdout), done.stderr
        said = " ".join(done.stderr.split())
        assert "the metric 'divides_ratio' of the installed package faults has failed: ZeroDivis" in said
        assert "Traceback" not in said


def test_a_statistic_that_fails_costs_its_cases(faulty):
    """In a batch such a case is a failed row that names the package; the report is whole."""
    words = ["-m", "begins_ratio", "-f", "csv", "-q", "-j", "2"]
    done = run(faulty, "batch", "predictions", "references", *words)
    assert 3 == done.returncode
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert "failed" == row["status"]
    assert row["error"].startswith("BrokenPlugin: the statistic 'begins' of the installed package faults")
    assert "Traceback" not in done.stderr


def test_broken_statistics_stand_in_lists(faulty):
    """The list of metrics says what is wrong with each, and the schema has none that cannot be described."""
    done = run(faulty, "metrics")
    assert 0 == done.returncode
    said = " ".join(done.stdout.split())
    assert "the statistic 'unmeasured' of the installed package faults cannot be loaded" in said
    done = run(faulty, "report", "--schema")
    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout)["$defs"]["measured"]["properties"]
    assert {"matrix", "adds"} <= found.keys()
    assert not {"unmeasured", "listed", "strange", "unseen"} & found.keys()


@pytest.mark.parametrize(
    "words",
    [
        ["score", "predictions/a.png", "references/a.png", "-f", "csv"],
        ["batch", "predictions", "references", "-q", "-f", "csv"],
        ["inspect", "predictions/a.png"],
        ["metrics", "dice"],
        ["batch", "predictions", "references", "-q", "-f", "csv", "--fail-under", "dice=0.99"],
        ["batch", "predictions", "references", "--dry-run"],
        ["score", "predictions/a.png", "references/a.png", "-f", "json", "-q"],
        ["score", "--help"],
    ],
)
def test_a_broken_package_breaks_nothing_else(broken, words):
    """What does not ask for its plugins has the same output as without it, but for its names in --help."""
    without, done = run(broken, *words, with_package=False), run(broken, *words)
    assert without.returncode == done.returncode == int("dice=0.99" in words), done.stderr
    assert done.stdout == without.stdout or words[-1] == "--help"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["score", "x.bmp", "references/a.png"],
        ["batch", "predictions", "references", "-o", "x.doc"],
        ["batch", "predictions", "references", "-f", "lost"],
        ["batch", "predictions", "references", "--executor", "lost"],
        ["batch", "predictions", "references", "-m", "lost"],
        ["score", "predictions/a.png", "references/a.png", "--device", "lost"],
        ["metrics", "lost"],
    ],
)
def test_a_broken_plugin_is_named_with_its_package(broken, words):
    """Where it is asked for, or may be what is meant, the error says which package to repair; no traceback."""
    done = run(broken, *words)
    assert 2 == done.returncode, done.stderr
    assert "of the installed package half-a-package cannot be loaded: " in done.stderr
    assert "pip uninstall half-a-package" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-f", "bare"], "it has no SUFFIXES and no PARTS and no render"),
        (["-f", "exits"], "SystemExit"),
        (["-f", "steals"], "there is a metric dice already"),
        (["-o", "x.st"], "cannot be loaded"),
        (["--device", "bare"], "it has no count_block and no describe"),
        (["--executor", "bare"], "it has no run"),
        (["-m", "bare"], "defines none of that name"),
        (["-m", "silent"], "the metric silent has no docstring"),
    ],
)
def test_a_plugin_that_is_incomplete_or_does_harm(broken, words, said):
    """What lacks its functions, ends the process, or takes a metric's name is refused; no number comes of it."""
    done = run(broken, "score", "predictions/a.png", "references/a.png", *words)
    assert (2, "") == (done.returncode, done.stdout), done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_metadata_that_cannot_be_read_bring_nothing(tmp_path):
    """A package whose list of entry points is no text brings no plugins, and breaks no command."""
    info = tmp_path / "site" / "unreadable-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: unreadable\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_bytes(b"[dicecli.formats]\nx = \xff\xfe\n")
    for words in (["score", "--help"], ["metrics"]):
        assert 0 == run(tmp_path, *words).returncode


def test_the_list_of_metrics_shows_a_broken_one(broken):
    """It stands in the list, with what is wrong."""
    done = run(broken, "metrics")
    assert 0 == done.returncode
    assert "half-a-package cannot be loaded" in " ".join(done.stdout.replace("-\n", "-").split()).replace(
        "- ", "-"
    )
