"""The notebook of docs/: committed as it was written, and it runs in a real kernel."""

from __future__ import annotations

import json
from importlib.util import find_spec

import places
import pytest

PATH = places.ROOT / "docs" / "notebook.ipynb"


def cells():
    return [
        each for each in json.loads(PATH.read_text(encoding="utf-8"))["cells"] if each["cell_type"] == "code"
    ]


def test_it_is_committed_without_outputs():
    """Nothing of the machine that it was written on stands in it."""
    assert cells()
    assert [] == [each for each in cells() if each["outputs"] or each["execution_count"] is not None]
    assert {"display_name": "Python 3", "language": "python", "name": "python3"} == json.loads(
        PATH.read_text(encoding="utf-8")
    )["metadata"]["kernelspec"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's own
def test_it_runs(tmp_path, monkeypatch):
    """Every cell ends well, worker processes included; reports, the bar and frames show themselves."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    book = nbformat.read(PATH, as_version=4)
    nbclient.NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(places.ROOT)}}
    ).execute()
    shown = [
        [output for output in cell["outputs"] if output["output_type"] != "stream"]
        for cell in book.cells
        if cell["cell_type"] == "code"
    ]
    said = [output["text"] for cell in book.cells for output in cell.get("outputs", ()) if "text" in output]
    assert [] == said
    _, (pair,), (bar, batch), (verdict,), (evaluator,), (average,), (frame,), (picture,) = shown
    assert '<progress value="6" max="6"></progress> 6 of 6 cases in' in bar["data"]["text/html"]
    for each in (pair, batch, frame):
        assert "<table" in each["data"]["text/html"]
    assert verdict["data"]["text/plain"].startswith("(True, 0.")
    assert "<dicecli.Evaluator: 10 cases>" == evaluator["data"]["text/plain"]
    assert ("image/png" in picture["data"]) == (find_spec("matplotlib") is not None)
    assert average["data"]["text/plain"].startswith("Average(value=0.")
