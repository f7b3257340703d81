"""docs/extending.md says what is so: a stranger who does what it says, in a copy, has new plugins that work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import extending
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
    contract = folder / "tests" / "masks" / "formats" / "test_contract.py"
    text = contract.read_text(encoding="utf-8")
    assert "WRITERS = {" in text
    text = text.replace(
        "#: How a mask of each plugin is written",
        extending.WRITER + "\n\n#: How a mask of each plugin is written",
    )
    contract.write_text(text.replace("WRITERS = {", 'WRITERS = {"digits": digits, '), encoding="utf-8")
    return folder


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


def test_the_page_shows_a_metric_a_format_and_an_exporter():
    """Each example names the file that it is."""
    folders = {path.rsplit("/", 1)[0] for path in extending.FILES}
    assert {"dicecli/metrics", "dicecli/masks/formats", "dicecli/reports/exporters"} == folders


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


@pytest.mark.parametrize(
    ("contract", "chosen"),
    [
        ("tests/masks/formats/test_contract.py", "digits"),
        ("tests/metrics/test_contract.py", "jaccard_distance"),
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
