"""Nothing of the current folder runs: every module's name, and a foreign dicecli, lie beside the masks."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import places
import pytest
import workers
from batches import both, call, sound

import dicecli
from dicecli import plugins
from dicecli.runs.executors import _begin, processes

#: What a module writes that is loaded, with nothing but what the interpreter has built in.
PLANTED = "with open({canary!r}, 'a') as _:\n    _.write(__name__ + ' ')\nraise SystemExit(99)\n"
#: As the command's own script begins: by a file that lies elsewhere.
TOOL = "from dicecli.cli import main\nmain()\n"
HOST = """
import json, sys
import dicecli

sides = ("predictions", "references")
one = [f"{side}/case000.png" for side in sides]
found = {
    "score": dicecli.score(*one, timeout=300),
    "batch": dicecli.batch(*sides, jobs=2, timeout=300),
}
if sys.argv[1:]:
    found["dask"] = dicecli.batch(*sides, executor="dask")
print(json.dumps({name: report.to_dict()["summary"] for name, report in found.items()}))
"""


@pytest.fixture(scope="module")
def trap(tmp_path_factory):
    """Make a folder of masks in which every name is planted that is imported anywhere, with scripts elsewhere."""
    folder = tmp_path_factory.mktemp("trap")
    (folder / "elsewhere").mkdir()
    for name, text in (("tool.py", TOOL), ("host.py", HOST)):
        (folder / "elsewhere" / name).write_text(text, encoding="utf-8")
    data = sound(folder / "data", 3)
    code = PLANTED.format(canary=str(folder / "canary"))
    for name in planted():
        (data / f"{name}.py").write_text(code, encoding="utf-8")
    (data / "dicecli").mkdir()
    (data / "dicecli" / "__init__.py").write_text(f"__version__ = '9'\n{code}", encoding="utf-8")
    (data / "strange.dist-info").mkdir()
    (data / "strange.dist-info" / "METADATA").write_text("Name: strange\nVersion: 1\n", encoding="utf-8")
    (data / "strange.dist-info" / "entry_points.txt").write_text(
        "[dicecli.metrics]\nstrange = strange\n", encoding="utf-8"
    )
    (data / "strange.py").write_text(code, encoding="utf-8")
    return folder


def planted():
    """Name every module of Python itself, and every one that an installed package has."""
    own = {*sys.stdlib_module_names, *metadata.packages_distributions()}
    return sorted(name for name in own if name.isidentifier() and name != "dicecli")


def in_the_folder(trap, *words):
    """Run Python in the folder, and return what it said, once nothing planted has run."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=trap / "data",
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert not (trap / "canary").exists(), (trap / "canary").read_text(encoding="utf-8")
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


def test_the_trap_is_real(trap):
    """Every module of the start-up list is planted, and a bare `python -c` falls in, as multiprocessing's do."""
    ((_, loaded),) = processes.run(workers.start_up, [None], 1, workers.lost)
    brought = {each for each in loaded if each not in {*sys.builtin_module_names, "__main__", "dicecli"}}
    assert {"numpy", "struct", "select", "json", "zlib"} <= brought
    files = {each: getattr(sys.modules.get(each), "__file__", None) for each in brought - {*planted()}}
    # What has no file is not looked for, as what runs tests in several processes.
    elsewhere = {each: file for each, file in files.items() if file and not file.startswith(str(places.ROOT))}
    assert not elsewhere
    assert _fallen(trap, "-c", "import struct")
    assert _fallen(trap, "-m", "dicecli", "--version")


def _fallen(trap, *words):
    """Whether Python runs what is planted where it is started so, and take that back."""
    done = subprocess.run(
        [sys.executable, *words], cwd=trap / "data", check=False, capture_output=True, timeout=300
    )
    (trap / "canary").unlink()
    return done.returncode == 99


@pytest.mark.parametrize("words", ["-j 1", "-j 2", "-j 3 --timeout 300"])
def test_children_of_the_command_start_with_the_safe_path(trap, words):
    """Each module of the start-up list is planted, and a folder `dicecli/`: none runs, the counts are right."""
    words = ["predictions", "references", "-f", "csv", *words.split()]
    said = in_the_folder(trap, "../elsewhere/tool.py", "batch", *words)
    assert said == call(*both(trap / "data"), "-f", "csv").stdout


def test_the_child_of_a_pair_with_a_limit_starts_with_the_safe_path(trap):
    """The same for `score --timeout`."""
    words = ["predictions/case000.png", "references/case000.png", "--timeout", "300", "-f", "csv"]
    said = in_the_folder(trap, "../elsewhere/tool.py", "score", *words)
    assert set(said.splitlines()) <= set(call(*both(trap / "data"), "-f", "csv").stdout.splitlines())


def test_children_of_a_host_start_with_the_safe_path(trap):
    """The same from Python, under time limits, and on a Dask cluster of this machine, where Dask is."""
    words = ["dask"] if importlib.util.find_spec("distributed") else []
    found = json.loads(in_the_folder(trap, "../elsewhere/host.py", *words))
    expected = dict.fromkeys(found, dicecli.batch(*both(trap / "data")).to_dict()["summary"])
    one = [each / "case000.png" for each in both(trap / "data")]
    expected["score"] = dicecli.score(*one).to_dict()["summary"]
    assert json.loads(json.dumps(expected)) == found


def test_only_what_was_named_is_looked_through():
    """Of the host's path the current folder is left out, but where an installed package or the user names it."""
    here = str(Path.cwd())
    theirs = ["", ".", here, "/opt/host", "lib", "/opt/plugins"]
    assert _begin.path_of(theirs, ["/opt/plugins"], here) == ["/opt/host", "/opt/plugins"]
    assert _begin.path_of(theirs, [here], here) == [here, "/opt/host", "/opt/plugins"]
    assert _begin.path_of(theirs, [], None) == [here, "/opt/host", "/opt/plugins"]


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc")
def test_a_name_that_leads_to_each_ones_own_folder_is_the_current_folder(tmp_path, monkeypatch):
    """`/proc/self/cwd` among the paths of a host is none of its workers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, "/proc/self/cwd", str(tmp_path.parent)])
    ((_, found),) = processes.run(workers.paths, [None], 1, workers.lost)
    assert str(tmp_path.parent) in found
    assert "/proc/self/cwd" not in found


def test_a_link_to_the_current_folder_is_the_current_folder(tmp_path, monkeypatch):
    """It is known by what it is, not by its name."""
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data")
    monkeypatch.chdir(tmp_path / "data")
    assert _begin.path_of([str(tmp_path / "link")], [], os.getcwd()) == []  # noqa: PTH109


def test_no_plugin_is_found_in_the_current_folder(trap, monkeypatch):
    """A folder `*.dist-info` beside the masks is no installed package, even where the path begins with ''."""
    monkeypatch.chdir(trap / "data")
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    plugins._entries.cache_clear()
    try:
        assert "strange" in {each.name for each in metadata.entry_points(group="dicecli.metrics")}
        assert "strange" not in plugins._entries("metrics")
    finally:
        plugins._entries.cache_clear()
