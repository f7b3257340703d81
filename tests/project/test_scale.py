"""What docs/scale.md says: the model and its numbers, and the scripts that it gives."""

from __future__ import annotations

import csv
import importlib
import itertools
import json
import os
import subprocess
from dataclasses import replace

import pytest
from readme_blocks import ROOT, blocks

from dicecli.runs.executors.dask import tasks as dask
from dicecli.statistics import _sharing as sharing

PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
RECORDS = sorted((ROOT / "benchmarks" / "results").glob("*_scale_*.json"))


@pytest.fixture
def model(monkeypatch):
    """Import the model, which needs nothing but the standard library."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("scale_model")


@pytest.fixture
def content():
    """Read the newest record of what was measured."""
    return json.loads(RECORDS[-1].read_text(encoding="utf-8"))


@pytest.fixture
def constants(model, content):
    """Give the constants that were measured."""
    return model.Constants(**content["constants"])


def test_the_page_says_what_was_measured(model, constants, content):
    """Constants, predictions and how far they are off stand on the page as the model gives them."""
    lines = [*model.shown(constants), *model.tables(constants), *model.checked(content["runs"])]
    assert [] == [line for line in lines if line not in PAGE]
    for bytes_there in ("item_bytes", "result_bytes", "share_bytes", "table_bytes"):
        assert f"| {getattr(constants, bytes_there):,} |\n" in PAGE


def test_the_model_knows_how_work_is_cut(model):
    """The sizes of tasks and shares in the model are those of the executor."""
    assert (dask._TASK_S, dask.MOST_ITEMS, dask._BRANCHES) == (
        model.TASK_S,
        model.MOST_ITEMS,
        model.BRANCHES,
    )
    assert (sharing._SHARES, sharing._MOST_WINDOWS, sharing._MOST_SHARES) == (
        model.SHARES,
        model.MOST_WINDOWS,
        model.MOST_SHARES,
    )
    for pixels, workers in ((1e8, 2), (1e10, 64), (1e12, 1), (1e12, 5000)):
        windows = -(-int(pixels) // (1 << 22))
        expected = len(sharing._travelling(windows, workers))
        one = model.Constants(
            **dict.fromkeys(model.Constants.__dataclass_fields__, 0.0) | {"window_pixels": 1 << 22}
        )
        found = model.raster(replace(one, scheduler_task_s=1.0), pixels, workers).scheduler
        assert expected + -(-expected // (model.BRANCHES - 1)) == found


def test_more_workers_never_make_the_model_slower(model, constants):
    """Ten times the workers take no longer, and never less than what the command and the scheduler need."""
    for job in (
        lambda n: model.batch(constants, 10**6, n),
        lambda n: model.raster(constants, 1e10, n),
    ):
        runs = [job(n) for n in (1, 10, 100, 1000)]
        assert all(few.seconds >= many.seconds for few, many in itertools.pairwise(runs))
        assert all(run.seconds >= run.before + max(run.scheduler, run.client) + run.after for run in runs)
        assert all(run.on(2) >= run.seconds for run in runs)


@pytest.mark.skipif(os.name != "posix", reason="these are scripts of a POSIX shell")
def test_the_scripts_are_scripts():
    """Every shell script of the page is one, as far as a shell can tell without running it."""
    for script in blocks(PAGE, "sh"):
        subprocess.run(["bash", "-n"], input=script, encoding="utf-8", check=True)


def test_the_manifests_are_manifests():
    """The manifests of the page are YAML, and each kind of pod runs what it is named after."""
    yaml = pytest.importorskip("yaml", reason="PyYAML, which dask needs, is not installed")
    (text,) = blocks(PAGE, "yaml")
    found = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}
    assert {kind for kind, _ in found} == {"Deployment", "Service", "Job"}
    job = found["Job", "dicecli"]["spec"]["template"]["spec"]["containers"][0]["command"]
    assert ["dicecli", "batch"] == job[:2]
    assert job[job.index("--scheduler") + 1] == "tcp://dask-scheduler:8786"


@pytest.mark.skipif(os.name != "posix", reason="this is a script of a POSIX shell")
def test_shards_hold_every_pair_once(tmp_path):
    """What the page cuts a list of pairs with gives every pair to one shard, each with the header."""
    header, *pairs = [["case", "prediction", "reference"], *([f"c{n}", f"p{n}", f"r{n}"] for n in range(50))]
    with (tmp_path / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *pairs])
    (script,) = [each for each in blocks(PAGE, "sh") if each.startswith("awk")]
    found = []
    for number in range(16):
        subprocess.run(
            ["bash", "-c", script.splitlines()[0]],
            cwd=tmp_path,
            env={**os.environ, "SLURM_ARRAY_TASK_ID": str(number)},
            check=True,
        )
        text = (tmp_path / f"shard_{number}.csv").read_text(encoding="utf-8")
        first, *rest = csv.reader(text.splitlines())
        assert header == first
        found += rest
    assert sorted(pairs) == sorted(found)
