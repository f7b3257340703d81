"""The picture of docs/boundary.md shows what there is."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
import places
import pytest
import surfaces_brute as surfaces


@pytest.fixture(scope="module")
def drawing():
    """Load the script that draws it."""
    spec = importlib.util.spec_from_file_location("boundary", places.ROOT / "docs" / "boundary.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_its_points_and_lines(drawing):
    """Points are those of the definitions, and the lines are as long as corners count."""
    for text in (drawing.REFERENCE, drawing.PREDICTION):
        codes = drawing.mask(text)
        mask = codes.astype(bool)
        assert surfaces.rim(mask).at.tolist() == drawing.rim(codes).tolist()
        corners = surfaces.corners(mask, (1.0, 1.0))
        assert corners.at.tolist() == drawing.corners(codes)[0].tolist()
        length = math.fsum(float(np.hypot(*(end - start))) for start, end in drawing.lines(codes))
        assert length == pytest.approx(math.fsum(corners.weights))


def test_it_is_drawn(drawing, tmp_path):
    """The script draws it, of the size of the one that is kept."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    drawing.draw(tmp_path / "boundary.png")
    kept = (places.ROOT / "docs" / "boundary.png").read_bytes()
    assert len(kept) < 60_000
    # Width and height stand at a fixed place.
    assert kept[16:24] == (tmp_path / "boundary.png").read_bytes()[16:24]
