"""What starting up costs: heavy packages are imported where they are used, and nowhere else."""

from __future__ import annotations

import subprocess
import sys

import places
import pytest

SAMPLES = places.SAMPLES
HEAVY = {"numpy", "pandas", "nibabel", "rasterio", "PIL", "rich", "scipy", "torch", "dask", "distributed"}
CODE = """
import sys
sys.argv = ["dicecli", *{arguments!r}]
from dicecli.cli import main
try:
    main()
except SystemExit:
    pass
print("MODULES", *sorted(sys.modules), file=sys.stderr)
"""


def _modules(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(arguments=[str(each) for each in arguments])],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stderr.rpartition("MODULES")[2].split())


def _pair(name, suffix):
    return SAMPLES / f"{name}_prediction{suffix}", SAMPLES / f"{name}_reference{suffix}"


SOFT = (SAMPLES / "lesion_logits.npy", SAMPLES / "lesion_reference.png")


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        pytest.param(["--help"], set(), id="help"),
        pytest.param(["--version"], set(), id="version"),
        pytest.param(["score", "--help"], set(), id="help of score"),
        pytest.param(["inspect", "--help"], set(), id="help of inspect"),
        pytest.param(["metrics", "dice"], set(), id="metrics"),
        pytest.param(["score", *_pair("lesion", ".png"), "-f", "json"], {"numpy"}, id="png"),
        pytest.param(
            ["score", *_pair("organs", ".nii.gz"), "-f", "json"], {"numpy", "nibabel", "scipy"}, id="nifti"
        ),
        pytest.param(
            ["score", *_pair("landcover", ".tif"), "-f", "csv"], {"numpy", "rasterio"}, id="geotiff"
        ),
        pytest.param(["score", *_pair("lesion", ".png")], {"numpy", "rich"}, id="table"),
        pytest.param(["soft", "--help"], set(), id="help of soft"),
        pytest.param(["soft", *SOFT, "--logits", "sigmoid", "-f", "json"], {"numpy"}, id="probabilities"),
    ],
)
def test_a_command_imports_only_what_it_needs(arguments, allowed):
    """The heavy packages that a command loads are those of its formats; help loads none."""
    assert allowed >= HEAVY & _modules(*arguments)


def test_help_loads_no_command_and_no_plugin():
    """Of the project itself, --help loads the group and what it stands on: the list is written here."""
    loaded = {name for name in _modules("--help") if name.split(".")[0] == "dicecli"}
    assert loaded == {
        "dicecli",
        "dicecli.cli",
        "dicecli.cli.main",
        "dicecli.cli.streams",
        "dicecli.cli.terminal",
        "dicecli.errors",
        "dicecli.records",
        "dicecli.records.version",
        "dicecli.reports",
        "dicecli.reports.text",
    }


def _from_elsewhere(*arguments):
    """List the packages that are neither Python's nor the installer's, which begin with an underscore."""
    tools = ("_", "coverage", "a1_coverage", "pytest_cov", "sitecustomize", "cython_runtime")
    loaded = {name.split(".")[0] for name in _modules(*arguments)} - set(sys.stdlib_module_names)
    return {name for name in loaded if not name.startswith(tools)}


def test_help_loads_nothing_but_click_from_elsewhere():
    """Beside Python itself, --help loads click alone."""
    assert {"click", "dicecli"} == _from_elsewhere("--help")


def test_scoring_two_png_files_loads_only_what_reads_and_counts_them():
    """Two PNG as JSON: click, NumPy and what inflates; not even NumPy's random numbers."""
    arguments = ["score", *_pair("lesion", ".png"), "-f", "json"]
    found = _from_elsewhere(*arguments)
    assert {"click", "dicecli", "numpy"} <= found
    assert found <= {"click", "dicecli", "isal", "numpy"}
    assert not {"numpy.random", "asyncio", "multiprocessing"} & _modules(*arguments)


def test_scoring_two_nifti_files_loads_neither_pandas_nor_rasterio():
    """Two NIfTI as JSON: nibabel with what it brings, and nothing that reads tables, maps or images."""
    arguments = ["score", *_pair("organs", ".nii.gz"), "-f", "json"]
    brought = {"packaging", "scipy", "typing_extensions"}
    found = _from_elsewhere(*arguments)
    assert {"click", "dicecli", "isal", "nibabel", "numpy"} <= found
    assert found <= {"click", "dicecli", "isal", "nibabel", "numpy", *brought}


def test_scoring_loads_the_modules_of_its_own_format_alone():
    """Of the plugin folders, a score loads the format of its files, the backend and the exporter that it uses."""
    loaded = _modules("score", *_pair("lesion", ".png"), "-f", "json")
    folders = ("masks.formats", "runs.executors", "reports.exporters")
    found = {name for name in loaded if name.startswith(tuple(f"dicecli.{each}." for each in folders))}
    assert {"dicecli.masks.formats.png.masks", "dicecli.reports.exporters.json"} <= found
    assert found <= {"dicecli.reports.exporters.json"} | {
        name for name in found if "png" in name or "_rows" in name
    }


#: What a pair of masks does without: what reads labels files and maps, and finds files, classes and tiles.
UNASKED = {
    *("dicecli.masks.classes", "dicecli.masks.cropped", "dicecli.masks.field", "dicecli.masks.fitting"),
    *("dicecli.masks.inside", "dicecli.masks.uncovered", "dicecli.masks.unread", "dicecli.masks.windows"),
    *("dicecli.records.legends", "dicecli.records.one_each", "dicecli.records.schemes"),
    *("dicecli.reports.renumbering", "dicecli.runs.classes", "dicecli.runs.listing"),
    *("dicecli.runs.placeholders", "dicecli.statistics._meaning.layers"),
}


@pytest.mark.parametrize(("name", "suffix"), [("street", ".png"), ("landcover", ".tif")])
def test_scoring_loads_nothing_of_options_that_are_not_given(name, suffix):
    """A plain score pays for no option: what one of these alone needs is loaded where it is given."""
    assert not UNASKED & _modules("score", *_pair(name, suffix))


#: Of the soft family: its names and what they say, and that there is a statistic.
NAMES_OF_SOFT = {
    "dicecli.metrics.soft",
    "dicecli.metrics.calibration",
    "dicecli.metrics.thresholds",
    "dicecli.statistics.soft",
}


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-m", "all"],
        ["-f", "csv"],
        ["--fail-under", "dice[1]=0.1"],
        ["--region", "both=1,2", "-f", "json"],
    ],
    ids=" ".join,
)
def test_a_batch_of_masks_loads_the_names_of_soft_scores_alone(options):
    """Whatever is asked for, masks pay for the table of metrics, and for nothing that sums or scores maps."""
    folders = (SAMPLES / "predictions", SAMPLES / "references")
    loaded = _modules("batch", *folders, "-j", "1", *options)
    homes = (*NAMES_OF_SOFT, "dicecli.losses")
    assert {name for name in loaded if name.startswith(homes)} == NAMES_OF_SOFT


@pytest.mark.parametrize("options", [[], ["-f", "json"], ["--tolerance", "2px", "--help"]], ids=" ".join)
def test_masks_scored_without_boundaries_load_no_surfaces(options):
    """A run that asks for no boundary metric loads that there are surfaces, and nothing that finds them."""
    loaded = _modules("score", *_pair("lesion", ".png"), *options)
    homes = ("dicecli.statistics.surface", "dicecli.statistics._surfaces")
    assert {name for name in loaded if name.startswith(homes)} <= {"dicecli.statistics.surface"}


def test_the_schema_is_loaded_where_it_is_asked_for_alone():
    """No command that reads masks or records loads the JSON Schema; --schema loads NumPy and nothing heavier."""
    loaded = [
        _modules(*each) for each in (["score", *_pair("lesion", ".png"), "-f", "json"], ["report", "--help"])
    ]
    assert [] == [name for each in loaded for name in each if name.startswith("dicecli.reports.schema")]
    assert {"numpy"} >= HEAVY & _modules("report", "--schema")
    assert {"click", "dicecli", "numpy"} == _from_elsewhere("report", "--schema")


def test_importing_the_package_loads_nothing_heavy():
    """``import dicecli`` costs next to nothing: its names are loaded on first use."""
    done = subprocess.run(
        [sys.executable, "-c", "import dicecli, sys; print(*sys.modules)"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert not HEAVY & set(done.stdout.split())


def test_every_public_name_is_there():
    """Each name of __all__ can be reached, and an unknown one is an AttributeError."""
    import dicecli

    for name in dicecli.__all__:
        assert getattr(dicecli, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        dicecli.nothing  # noqa: B018 - the access is the test
