"""How fast a machine is decides no test."""

from __future__ import annotations

import re

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


def test_a_clock_on_the_wall_has_a_minute_at_least():
    """Where a test looks at a clock, what it waits for takes seconds, and on a busy machine tens of them."""
    limit = re.compile(r"monotonic\(\) - \w+ <=? ([\d.]+)|\.(?:communicate|wait|join)\(timeout=([\d.]+)\)")
    for path in (ROOT / "tests").rglob("test_*.py"):
        found = ["".join(each) for each in limit.findall(path.read_text(encoding="utf-8"))]
        assert [] == [each for each in found if float(each) < 60], path
