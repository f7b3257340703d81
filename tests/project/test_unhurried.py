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
