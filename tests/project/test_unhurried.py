"""How fast a machine is decides no test."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, settings
from places import ROOT


def test_no_example_has_a_deadline():
    """Hypothesis waits for its examples as long as they take, and no test says otherwise for itself."""
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert [ROOT / "tests" / "conftest.py"] == [
        path for path in tests if re.search(r"\bdeadline ?=", path.read_text(encoding="utf-8"))
    ]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals are POSIX's")
def test_children_reset_signals(pytestconfig):
    """Under nohup, or behind `&`, where signals are ignored: what tests start heeds them all the same."""
    conftest = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
    before = {each: signal.signal(each, signal.SIG_IGN) for each in numbers}
    try:
        conftest._heed_signals()
        code = f"import signal; print([signal.getsignal(each) is signal.SIG_IGN for each in {[*map(int, numbers)]}])"
        found = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
        )
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert found.stdout == "[False, False, False]\n"


def test_a_clock_on_the_wall_has_a_minute_at_least():
    """Where a test looks at a clock, what it waits for takes seconds, and on a busy machine tens of them."""
    limit = re.compile(r"monotonic\(\) - \w+ <=? ([\d.]+)|\.(?:communicate|wait|join)\(timeout=([\d.]+)\)")
    for path in (ROOT / "tests").rglob("test_*.py"):
        found = ["".join(each) for each in limit.findall(path.read_text(encoding="utf-8"))]
        assert [] == [each for each in found if float(each) < 60], path
