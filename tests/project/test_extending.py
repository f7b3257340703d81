"""docs/extending.md says what is so: a stranger who does what it says, in a copy, has new plugins that work."""

from __future__ import annotations

import json
import os
import re
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
    """Copy the project, and add what the page adds, as it says."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", ".git", ".venv", "results", "*.egg-info", ".hypothesis")
    for name in ("dicecli", "tests", "sample_masks", "docs", ".ci", "pyproject.toml"):
        source = places.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(
            source, folder / name, **({"ignore": ignored} if source.is_dir() else {})
        )
    for path, text in extending.FILES.items():
        (folder / path).write_text(text, encoding="utf-8")
    tell(folder / "tests/masks/formats/test_contract.py", extending.WRITER, "WRITERS = {", '"digits": digits')
    start = "EXAMPLES: dict[str, Examples] = {"
    tell(folder / "tests/metrics/test_contract.py", extending.EXAMPLES, start, '"edges": EDGES')
    return folder


def tell(contract, block, start, entry):
    """Tell a contract what the page says that it has to know: a block before a table, and an entry in that."""
    text = contract.read_text(encoding="utf-8")
    assert start in text
    above, table = text.split(start)
    above, comment = above.rsplit("\n#: ", 1)
    contract.write_text(f"{above}\n{block}\n\n#: {comment}{start}{entry}, {table}", encoding="utf-8")


def run(folder, *words):
    """Run Python in the copy, without what pytest is asked for here: a part of the tests covers little."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


def test_the_page_shows_a_metric_a_family_a_format_and_an_exporter():
    """Each example names the file that it is; a family is two."""
    folders = Counter(path.rsplit("/", 1)[0] for path in extending.FILES)
    single = ("dicecli/statistics", "dicecli/masks/formats", "dicecli/reports/exporters")
    assert {**dict.fromkeys(single, 1), "dicecli/metrics": 2} == folders


def test_the_examples_are_used_by_name_and_suffix(copy):
    """The new format, metric and exporter make one report on the command line, with the right number."""
    for side, text in (
        ("predictions", "digits 2 4\n0011\n0011\n"),
        ("references", "digits 2 4\n0011\n0001\n"),
    ):
        (copy / side).mkdir()
        (copy / side / "a_1.digits").write_text(text, encoding="ascii")
    words = ["predictions", "references", "-m", "jaccard-loss", "-f", "latex", "-o", "t.tex", "-q"]
    done = run(copy, "-m", "dicecli", "batch", *words)
    assert (0, "") == (done.returncode, done.stderr)
    assert ["case & label & jaccard\\_distance \\\\", "a\\_1 & 1 & 0.250 \\\\"] == done.stdout.splitlines()
    assert done.stdout == (copy / "t.tex").read_text(encoding="utf-8")
    assert "(fp + fn) / (tp + fp + fn)" in run(copy, "-m", "dicecli", "metrics", "jaccard_distance").stdout


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


@pytest.mark.parametrize(
    ("contract", "chosen"),
    [
        ("tests/masks/formats/test_contract.py", "digits"),
        ("tests/metrics/test_contract.py", "jaccard_distance"),
        ("tests/metrics/test_contract.py", "edge_ratio or every_metric_is_held"),
        ("tests/statistics/test_contract.py", "edges"),
        ("tests/records/test_codec.py", "Edges"),
        ("tests/reports/test_schema.py", "not golden"),
        ("tests/cli/test_main.py", "metric"),
        ("tests/reports/exporters/test_contract.py", "latex and not golden"),
        ("tests/promises/test_elsewhere.py", "odd_name_in_every_report"),
        ("tests/project/test_architecture.py", "what_is_there"),
    ],
)
def test_the_contracts_cover_them_at_once(copy, contract, chosen):
    """The tests of each folder run over what was added, and it passes them."""
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", contract, "-k", chosen)
    assert 0 == done.returncode, done.stdout[-3000:]
    assert re.search(r"\d+ passed", done.stdout)


def test_the_linters_accept_them(copy):
    """They are written as the project's own code is; CI, where the linters are, sees it."""
    pytest.importorskip("mypy", reason="the linters are not installed")
    for words in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]):
        done = run(copy, "-m", *words, *extending.FILES)
        assert 0 == done.returncode, done.stdout[-2000:]


def test_golden_files_are_written_by_the_command_that_it_shows(copy):
    """A new exporter lacks its golden file until the command writes it; another run then agrees."""
    contract = "tests/reports/exporters/test_contract.py"
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", contract, "-k", "golden and latex"]
    assert "--rewrite-golden writes it" in run(copy, *words).stdout
    assert 0 == run(copy, *words, "--rewrite-golden").returncode
    assert 0 == run(copy, *words).returncode


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
