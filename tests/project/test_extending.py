"""docs/extending.md says what is so: a stranger who does what it says, in a copy, has new plugins that work."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter

import extending
import make
import numpy as np
import places
import pytest


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Copy the project, and change it as the page says, step by step."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", ".git", ".venv", "results", "*.egg-info", ".hypothesis")
    for name in ("dicecli", "tests", "sample_masks", "docs", ".ci", "pyproject.toml"):
        source = places.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(
            source, folder / name, **({"ignore": ignored} if source.is_dir() else {})
        )
    for step in extending.STEPS:
        step.take(folder)
    return folder


def run(folder, *words):
    """Run Python in the copy, without what pytest is asked for here: a part of the tests covers little."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTEST_ADDOPTS": "-q -p no:cacheprovider"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )


def test_the_page_walks_through_each_kind():
    """It has a metric, a family (which is two files), a format, an exporter, a layout, an average and an option."""
    folders = Counter(path.rsplit("/", 1)[0] for path in extending.FILES)
    single = (
        *("dicecli/statistics", "dicecli/masks/formats", "dicecli/reports/exporters"),
        "dicecli/runs/layouts",
    )
    assert {**dict.fromkeys(single, 1), "dicecli/metrics": 3} == folders
    changed = {each.path for each in extending.STEPS if each.where and each.path.startswith("dicecli/")}
    assert {"dicecli/reports/averages.py", "dicecli/records/settings.py"} == changed


@pytest.mark.parametrize(
    ("section", "command"),
    [each for each in extending.COMMANDS if not each[1].startswith("git ")],
    ids=lambda text: text[:60],
)
def test_its_commands_run(copy, section, command):
    """Each command of the page succeeds in the copy, in the order of the page; tests that it runs are some."""
    words = shlex.split(command)
    done = run(copy, *(["-m", "dicecli", *words[1:]] if words[0] == "dicecli" else words[1:]))
    assert 0 == done.returncode, f"{section}: {command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    if "pytest" in words:
        assert re.search(r"[1-9]\d* passed", done.stdout)


def test_the_examples_are_used_by_name_and_suffix(copy):
    """The new format, metrics and exporter make one report on the command line, with the right numbers."""
    for side, text in (
        ("predictions", "digits 2 4\n0011\n0011\n"),
        ("references", "digits 2 4\n0011\n0001\n"),
    ):
        (copy / side).mkdir()
        (copy / side / "a_1.digits").write_text(text, encoding="ascii")
    words = ["predictions", "references", "-m", "jaccard-loss", "-m", "tversky_0.25", "-f", "latex", "-q"]
    done = run(copy, "-m", "dicecli", "batch", *words, "-o", "t.tex")
    assert (0, "") == (done.returncode, done.stderr)
    # 3 right, 1 false alarm: 1/4, and 3 / 3.25.
    assert "macro & 1 label & 0.2500 & 0.9231 \\\\" in done.stdout.splitlines()
    assert "tversky\\_0.25" in done.stdout
    written = (copy / "t.tex").read_text(encoding="utf-8")
    assert "a\\_1 0.2500" in written
    assert done.stdout.splitlines()[0] == written.splitlines()[0]
    assert "(fp + fn) / (tp + fp + fn)" in run(copy, "-m", "dicecli", "metrics", "jaccard_distance").stdout


@pytest.mark.parametrize(
    "words",
    [
        ["score", "sample_masks/organs_prediction.nii.gz", "sample_masks/organs_reference.nii.gz"],
        ["score", "sample_masks/missing.png", "sample_masks/street_reference.png"],
        ["batch", "sample_masks/predictions", "sample_masks/references"],
        ["batch", "--soft", "sample_masks/probabilities", "sample_masks/references"],
    ],
    ids=["one case", "a failed case", "a batch", "a batch of maps"],
)
def test_the_exporter_shows_what_the_table_shows(copy, words):
    """Every number and text that a terminal shows stands in the LaTeX as well, and every table is closed."""
    table, latex = (
        run(copy, "-m", "dicecli", *words, "-q", "-f", name).stdout for name in ("table", "latex")
    )
    plain = re.sub(r"\\([&%$#_{}])", r"\1", latex)
    shown = set(re.findall(r"(?<![\w.])\d+\.\d{3,4}(?![\w.])", table))
    assert shown or "missing" in words[1]
    assert set() == {each for each in shown if each not in plain}
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}")
    lines = [line for line in latex.splitlines() if " & " in line]
    assert all(line.endswith(r" \\") for line in lines)


#: Reference and prediction of two labels: their faces can be counted on paper. What is 9 is left out.
MASKS = {
    "reference": [[0, 1, 1, 2, 9], [0, 0, 1, 2, 9]],
    "prediction": [[0, 1, 0, 2, 2], [0, 1, 1, 1, 1]],
}


@pytest.mark.parametrize(
    ("suffix", "words", "faces"),
    [
        (
            ".png",
            ["--ignore-label", "9", "--region", "both=1,2"],
            {0: (3, 5), 1: (5, 5), 2: (2, 2), "both": (3, 5)},
        ),
        (".nii.gz", [], {"layer 1": (5, 6), "layer 2": (4, 3)}),
    ],
    ids=["label maps", "binary layers"],
)
def test_the_family_has_the_numbers_that_paper_has(copy, suffix, words, faces):
    """Faces of labels, of regions and of layers, without the image's border and what is left out."""
    for side, rows in MASKS.items():
        mask = np.array(rows, np.uint8)
        if suffix == ".png":
            make.png(copy / f"{side}.png", mask)
        else:
            layers = np.stack([mask == label for label in (1, 2)], -1)
            make.nifti(copy / f"{side}.nii.gz", layers[:, :, None].astype(np.uint8))
    paths = [f"{side}{suffix}" for side in ("prediction", "reference")]
    done = run(copy, "-m", "dicecli", "score", *paths, *words, "-m", "edge_ratio", "-f", "json", "-q")
    assert 0 == done.returncode, done.stderr
    (case,) = json.loads(done.stdout)["cases"]
    found = {
        row["name"] or row["label"]: (row["reference"], row["prediction"])
        for row in case["measured"]["edges"]
    }
    assert faces == found
    ratios = {row["name"] or row["label"]: row["edge_ratio"] for row in case["labels"]}
    assert ratios == {name: n / of for name, (of, n) in faces.items() if name}


def test_the_average_is_everywhere(copy):
    """Its entry in the table brings it into tables, JSON, the schema and gates, over labels and over regions."""
    folders = [
        "sample_masks/predictions",
        "sample_masks/references",
        "-m",
        "dice",
        "--region",
        "both=1,2",
        "-q",
    ]
    done = run(copy, "-m", "dicecli", "batch", *folders, "-o", "least.json")
    assert {"label-min", "region-min"} <= {
        line.split()[0] for line in done.stdout.splitlines() if line.strip()
    }
    record = json.loads((copy / "least.json").read_text(encoding="utf-8"))
    least, several = (
        record["summary"]["averages"][name]["values"]["dice"] for name in ("label-min", "region-min")
    )
    means = {
        row["name"] or row["label"]: row["metrics"]["dice"]["mean"] for row in record["summary"]["labels"]
    }
    assert min(means[label] for label in (1, 2, 3)) == least
    assert means["both"] == several
    assert '"label-min"' in run(copy, "-m", "dicecli", "report", "--schema").stdout
    for limit, code in ((least, 0), (least + 0.01, 1)):
        gate = f"dice@label-min={limit}"
        assert code == run(copy, "-m", "dicecli", "report", "least.json", "--fail-under", gate).returncode


def test_the_option_is_everywhere(copy):
    """Its field brings it to the command line, into files, Python and records, with its range and its type."""
    folders = [
        "sample_masks/predictions",
        "sample_masks/references",
        "-m",
        "smoothed_dice",
        "-f",
        "json",
        "-q",
    ]
    done = run(copy, "-m", "dicecli", "batch", *folders, "--pseudo-count", "100")
    record = json.loads(done.stdout)
    assert 100 == record["settings"]["pseudo_count"]
    rows = [row for case in record["cases"] for row in case["labels"]]
    expected = [(2 * r["tp"] + 100) / (2 * r["tp"] + r["fp"] + r["fn"] + 100) for r in rows]
    assert expected == [row["smoothed_dice"] for row in rows]
    (copy / "dicecli.toml").write_text("pseudo-count = 100\n", encoding="utf-8")
    again = json.loads(run(copy, "-m", "dicecli", "batch", *folders).stdout)
    assert ("dicecli.toml", ["pseudo-count"]) == tuple(
        again["origin"]["runs"][0].pop(key) for key in ("config", "from_config")
    )
    assert (None, []) == tuple(record["origin"]["runs"][0].pop(key) for key in ("config", "from_config"))
    assert record == again
    assert "pseudo-count" in run(copy, "-m", "dicecli", "config", "batch").stdout
    (copy / "dicecli.toml").unlink()
    code = (
        "import dicecli; print(dicecli.score([[1, 1]], [[1, 0]], metrics=['smoothed_dice'], pseudo_count={})"
    )
    code += ".look_up('smoothed_dice[1]').value)"
    assert f"{4 / 5}\n" == run(copy, "-c", code.format(2)).stdout
    assert "pseudo_count is -1" in run(copy, "-c", code.format(-1)).stderr
    refused = run(copy, "-m", "dicecli", "batch", "--soft", "a", "b", "--pseudo-count", "1")
    assert (2, True) == (refused.returncode, "--pseudo-count is for masks" in refused.stderr)


@pytest.mark.parametrize(
    ("contract", "chosen"),
    [
        ("tests/reports/test_schema.py", "not golden"),
        ("tests/cli/test_main.py", "metric"),
        ("tests/project/test_architecture.py", "what_is_there"),
    ],
)
def test_the_contracts_cover_them_at_once(copy, contract, chosen):
    """Tests that nobody has to tell of what was added run over it, and it passes them."""
    done = run(copy, "-m", "pytest", contract, "-k", chosen)
    assert 0 == done.returncode, done.stdout[-3000:]
    assert re.search(r"\d+ passed", done.stdout)


def test_the_linters_accept_them(copy):
    """They are written as the project's own code is; CI, where the linters are, sees it."""
    pytest.importorskip("mypy", reason="the linters are not installed")
    changed = list(dict.fromkeys(each.path for each in extending.STEPS))
    sources = [path for path in changed if path.startswith("dicecli/")]
    for words in (["ruff", "check", *changed], ["ruff", "format", "--check", *sources], ["mypy", *sources]):
        done = run(copy, "-m", *words)
        assert 0 == done.returncode, done.stdout[-2000:]


def test_golden_files_are_written_by_the_command_that_it_shows(copy):
    """That command, run above, has written the golden file of the new exporter; another run agrees."""
    assert (copy / "tests" / "golden" / "report.tex").exists()
    done = run(copy, "-m", "pytest", "tests/reports/exporters/test_contract.py", "-k", "golden")
    assert 0 == done.returncode, done.stdout[-2000:]


def test_the_walls_need_no_line_for_them(copy):
    """The linter of imports keeps every contract with the plugins added."""
    pytest.importorskip("importlinter", reason="the linters are not installed")
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = run(copy, "-c", code)
    assert 0 == done.returncode, done.stdout[-2000:]


def test_what_it_names_is_there():
    """Every path of the page exists, but for those of its own examples."""
    for path in re.findall(r"`((?:dicecli|tests)/[\w/.]+)`", extending.PAGE):
        assert (places.ROOT / path).exists() or path in extending.FILES, path
