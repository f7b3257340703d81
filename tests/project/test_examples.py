"""Every public name has an example in its docstring, and every example runs and shows what stands there."""

from __future__ import annotations

import doctest
import inspect
from importlib.util import find_spec

import places
import pytest

import dicecli
from dicecli.reports.by_name import ByName
from dicecli.reports.means import Average
from dicecli.reports.report import Report
from dicecli.reports.report_row import ReportRow

#: Classes whose methods have examples of their own, too.
WHOLE = {"Report": (ByName, Report), "ConfusionMatrix": (dicecli.ConfusionMatrix,)}
NAMES = [name for name in dicecli.__all__ if name != "__version__"]
OTHERS = {"dicecli": dicecli, "Average": Average, "ReportRow": ReportRow}
NEEDS = {"Report.plot": "matplotlib"}


def methods(classes):
    """Return the public methods that classes define, by name."""
    found = {
        name: getattr(each, name)
        for each in classes
        for name, value in vars(each).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod))
    }
    assert len(found) > 5
    return found


EVERY = {
    **OTHERS,
    **{name: getattr(dicecli, name) for name in NAMES},
    **{f"{name}.{each}": one for name, classes in WHOLE.items() for each, one in methods(classes).items()},
}


def run(name, documented):
    """Run the examples of a docstring in the project's root, where the sample masks are."""
    assert ">>>" in (documented.__doc__ or ""), f"{name} has no example"
    assert "+SKIP" not in documented.__doc__
    test = doctest.DocTestParser().get_doctest(documented.__doc__, {}, name, None, 0)
    said = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", EVERY)
def test_an_example_runs(name, monkeypatch):
    """Of a function, a class or a method; it needs no more than the sample masks."""
    if name in NEEDS and find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    monkeypatch.chdir(places.ROOT)
    run(name, EVERY[name])


def test_the_examples_of_the_losses_run():
    """Where torch is, every loss, as a module and as a function."""
    pytest.importorskip("torch", reason="torch is not installed")
    from dicecli import losses

    run("dicecli.losses", losses)
    for name in losses.__all__:
        run(name, getattr(losses, name))
