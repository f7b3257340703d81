"""What several of these tests work in."""

from __future__ import annotations

import pytest
from desk import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Lay a folder of small masks, tables and results."""
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture
def at_desk(desk, monkeypatch):
    """Work in that folder, and find it again as it was."""
    monkeypatch.chdir(desk.folder)
    yield desk
    desk.reset()
