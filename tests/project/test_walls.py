"""The walls between folders and inside them can fail: for each contract an offending import is seen to break it.

What the walls are stands in pyproject.toml and .ci/circles.toml, and why in docs/engineering/architecture.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import places
import pytest

from dicecli.plugins import FOLDERS

SETTINGS = {"layers": places.ROOT / "pyproject.toml", "circles": places.ROOT / ".ci" / "circles.toml"}
#: By the contract's name: the module that imports what it must not, and the line by which it does.
OFFENCES = {
    "The folders: imports point down only": ("masks/grid.py", "from dicecli.statistics import _confusion"),
    "Click is known in cli/ alone": ("reports/gates.py", "import click"),
    "Inside cli/": ("cli/options.py", "from dicecli.cli import batch"),
    "Inside runs/": ("runs/listing.py", "from dicecli.runs import batch"),
    "Inside runs/inspection/": (
        "runs/inspection/values.py",
        "from dicecli.runs.inspection import file",
    ),
    "Inside runs/executors/: executors never import each other": (
        "runs/executors/serial.py",
        "from dicecli.runs.executors import processes",
    ),
    "Inside runs/layouts/: layouts never import each other": (
        "runs/layouts/voc.py",
        "from dicecli.runs.layouts import bids",
    ),
    "Inside runs/executors/processes/": (
        "runs/executors/processes/_process.py",
        "from dicecli.runs.executors.processes import _crew",
    ),
    "Inside runs/executors/dask/": (
        "runs/executors/dask/_task.py",
        "from dicecli.runs.executors.dask import tasks",
    ),
    "Inside reports/": ("reports/averages.py", "from dicecli.reports import report"),
    "Inside reports/pages/": ("reports/pages/statistics.py", "from dicecli.reports.pages import many"),
    "Inside reports/comparison/": (
        "reports/comparison/matching.py",
        "from dicecli.reports.comparison import comparing",
    ),
    "Inside reports/schema/": ("reports/schema/parts.py", "from dicecli.reports.schema import whole"),
    "Inside reports/exporters/: exporters never import each other": (
        "reports/exporters/csv.py",
        "from dicecli.reports.exporters import json",
    ),
    "Inside records/legends/: forms never import each other": (
        "records/legends/flat.py",
        "from dicecli.records.legends import own",
    ),
    "Inside losses/": ("losses/ranks.py", "from dicecli.losses import modules"),
    "Inside metrics/: families never import each other": (
        "metrics/agreement.py",
        "from dicecli.metrics import overlap",
    ),
    "Inside statistics/": ("statistics/_confusion.py", "from dicecli.statistics import _census"),
    "Inside statistics/_meaning/": (
        "statistics/_meaning/maps.py",
        "from dicecli.statistics._meaning import layers",
    ),
    "Inside statistics/: statistics never import each other": (
        "statistics/place.py",
        "from dicecli.statistics import soft",
    ),
    "Inside statistics/_surfaces/": (
        "statistics/_surfaces/lists.py",
        "from dicecli.statistics._surfaces import bands",
    ),
    "Inside statistics/surface/": (
        "statistics/surface/measured.py",
        "from dicecli.statistics.surface import rows",
    ),
    "Inside statistics/matrix/": (
        "statistics/matrix/cells.py",
        "from dicecli.statistics.matrix import counts",
    ),
    "Inside statistics/soft/": ("statistics/soft/forms.py", "from dicecli.statistics.soft import sums"),
    "Inside statistics/backends/: backends never import each other, but native falls back to numpy": (
        "statistics/backends/numpy.py",
        "from dicecli.statistics.backends import torch",
    ),
    "Inside masks/": ("masks/files.py", "from dicecli.masks import pair"),
    "Inside masks/formats/: formats never import each other": (
        "masks/formats/npy.py",
        "from dicecli.masks.formats import png",
    ),
    "Inside masks/formats/geotiff/": (
        "masks/formats/geotiff/_tags.py",
        "from dicecli.masks.formats.geotiff import masks",
    ),
    "Inside masks/formats/nifti/": (
        "masks/formats/nifti/_header.py",
        "from dicecli.masks.formats.nifti import masks",
    ),
    "Inside masks/formats/png/": (
        "masks/formats/png/_chunks.py",
        "from dicecli.masks.formats.png import _pixels",
    ),
    "Inside records/": ("records/counts.py", "from dicecli.records import cases"),
    # As the first line of a function: it counts all the same.
    "No circles": ("reports/report.py", "def late():\n    from dicecli.reports import reading_back"),
}


def contracts(which):
    """Return the names of the contracts of a file of settings."""
    content = tomllib.loads(SETTINGS[which].read_text(encoding="utf-8"))
    return [each["name"] for each in content["tool"]["importlinter"]["contracts"]]


def broken(folder, which):
    """Return the contracts that the linter finds broken in a copy of the package."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(config_filename=sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(SETTINGS[which])],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    said = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).split())  # older linters colour a pipe, too
    found = {name: re.search(rf"{re.escape(name)} (KEPT|BROKEN)", said) for name in contracts(which)}
    assert all(found.values()), done.stdout + done.stderr
    return {name for name, match in found.items() if match[1] == "BROKEN"}


@pytest.fixture
def copy(tmp_path):
    """Copy the package's modules, where there is a linter to look at them."""
    pytest.importorskip("importlinter", reason="the linters are not installed")
    shutil.copytree(
        places.ROOT / "dicecli", tmp_path / "dicecli", ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    return tmp_path


def test_every_contract_has_an_offence():
    """A contract that is added needs an import that breaks it, in the list above."""
    assert sorted(OFFENCES) == sorted(contracts("layers") + contracts("circles"))


@pytest.mark.parametrize("which", SETTINGS)
def test_the_package_keeps_them(copy, which):
    """As it is, the package keeps every contract."""
    assert set() == broken(copy, which)


@pytest.mark.parametrize("name", OFFENCES)
def test_an_offence_breaks_its_contract(copy, name):
    """An import put where it must not be is found, by the contract that is there for it."""
    module, line = OFFENCES[name]
    path = copy / "dicecli" / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n\n{line}\n", encoding="utf-8")
    assert name in broken(copy, "circles" if name in contracts("circles") else "layers")


@pytest.mark.parametrize(
    "line",
    [
        "if TYPE_CHECKING:\n    from dicecli.reports.report import Report",
        "def late():\n    from dicecli.reports import report",
    ],
    ids=["for type checkers", "in a function"],
)
def test_imports_of_every_sort_count_for_layers(copy, line):
    """Also an import for type checkers, and one that is made only when a function is called."""
    path = copy / "dicecli" / "reports" / "averages.py"
    path.write_text(path.read_text(encoding="utf-8") + f"\n\n{line}\n", encoding="utf-8")
    assert {"Inside reports/"} == broken(copy, "layers")


def test_a_module_that_no_layer_names_is_found(copy):
    """A module that is added to a folder without a place among its layers breaks the folder's contract."""
    Path(copy / "dicecli" / "reports" / "newcomer.py").write_text('"""New."""\n', encoding="utf-8")
    assert {"Inside reports/"} == broken(copy, "layers")


def test_what_statistics_share_needs_a_line(copy):
    """A private module beside them that one of them imports breaks their contract, until that allows it."""
    folder = copy / "dicecli" / "statistics"
    (folder / "_newcomer.py").write_text('"""New."""\n', encoding="utf-8")
    with (folder / "place.py").open("a", encoding="utf-8") as file:
        file.write("\n\nfrom dicecli.statistics import _newcomer\n")
    assert {"Inside statistics/: statistics never import each other"} == broken(copy, "layers")


def test_a_plugin_that_is_added_breaks_nothing(copy):
    """A module added to each folder of plugins needs no line in the settings."""
    for folder in FOLDERS.values():
        (copy / "dicecli" / folder.replace(".", "/") / "newcomer.py").write_text(
            '"""New."""\n', encoding="utf-8"
        )
    assert set() == broken(copy, "layers") | broken(copy, "circles")
