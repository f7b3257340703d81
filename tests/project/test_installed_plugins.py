"""A package that brings one plugin of each kind is installed, and each of them is used through the command line.

Format, metric and exporter are the examples of docs/extending.md.
"""

from __future__ import annotations

import base64
import hashlib
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
#: The kinds of plugins, and the name of the one that the package brings.
BROUGHT = {
    "formats": "digits",
    "metrics": "jaccard_distance",
    "backends": "plain",
    "executors": "backwards",
    "exporters": "latex",
}
MODULES = {"jaccard_distance": "distance"}
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
    entries = "".join(
        f"[dicecli.{kind}]\n{name} = extra_plugins.{MODULES.get(name, name)}\n\n"
        for kind, name in BROUGHT.items()
    )
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
    """Format, metric, backend, executor and exporter of the package make one report; its numbers are right."""
    words = ["--executor", "backwards", "--device", "plain", "-m", "jaccard_distance", "-f", "latex"]
    done = run(
        place, "batch", "predictions", "references", *words, "-o", "table.tex", "-o", "record.json", "-q"
    )
    assert (0, "") == (done.returncode, done.stderr)
    # a: 3 right, 1 false alarm; b: 3 right, 1 false alarm, 1 miss.
    assert done.stdout.splitlines() == [
        r"case & label & jaccard\_distance \\",
        r"a & 1 & 0.250 \\",
        r"b & 1 & 0.400 \\",
    ]
    assert done.stdout == (place / "table.tex").read_text(encoding="utf-8")
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


def test_each_is_used_by_score_inspect_and_metrics(place):
    """One pair, its files inspected, and the metric explained; -v says what has counted."""
    pair = ("predictions/a.digits", "references/a.digits")
    done = run(place, "score", *pair, "--device", "plain", "-m", "jaccard-distance", "-v")
    assert 0 == done.returncode, done.stderr
    assert "0.2500" in done.stdout
    assert "Counted with plain Python in" in done.stderr
    assert "digits" in run(place, "inspect", pair[0]).stdout
    assert "(fp + fn) / (tp + fp + fn)" in run(place, "metrics", "jaccard_distance").stdout
    assert re.search(
        r"Of installed packages:\s+jaccard_distance +Share of the union", run(place, "metrics").stdout
    )


def test_help_and_configuration_know_them(place, tmp_path):
    """--help lists the names of installed plugins, and a configuration file may use them."""
    listed = run(place, "batch", "--help").stdout
    for kind in ("backends", "executors", "exporters"):
        assert BROUGHT[kind] in listed, kind
    (tmp_path / "dicecli.toml").write_text('format = "latex"\nexecutor = "backwards"\n', encoding="utf-8")
    folders = [str(place / side) for side in MASKS]
    environment = {**os.environ, "PYTHONPATH": str(place / "site")}
    words = [sys.executable, "-m", "dicecli", "batch", *folders, "-q"]
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert (0, "case & label & dice") == (done.returncode, done.stdout[:19]), done.stderr


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
        "steals": "from dicecli.metrics import metric\n\n\n@metric(formula='', range='0 to 1', undefined='', "
        "source='')\ndef dice(counts):\n    return 0.125\n\n\nSUFFIXES = ('.st',)\nrender = str\n",
        "text": "SUFFIXES = '.bmp'\nopen_mask = open\n",
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
        (["-f", "bare"], "it has no SUFFIXES and no render"),
        (["-f", "exits"], "SystemExit"),
        (["-f", "steals"], "there is a metric dice already"),
        (["-o", "x.st"], "cannot be loaded"),
        (["--device", "bare"], "it has no count_block and no describe"),
        (["--executor", "bare"], "it has no run"),
        (["-m", "bare"], "defines none of that name"),
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
    assert "half-a-package cannot be loaded" in done.stdout
