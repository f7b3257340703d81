"""What every layout promises; a new one is held to it by being in the folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dicecli.plugins import own, suffixes
from dicecli.records.schemes import load_labels, presets
from dicecli.runs.laid_out import lay_out, layout_of
from dicecli.runs.pairing import pair_folders

LAYOUTS = own("layouts")


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return layout_of(request.param)


def test_it_says_what_it_is_in_a_line(layout):
    assert re.fullmatch(r"[A-Za-z].{10,90}[^. ]", layout.summary)


def test_its_patterns_are_patterns(layout):
    """Each has its case, ends in a suffix that is read, and stands once."""
    for patterns in (layout.predictions, layout.references):
        assert patterns
        assert len(set(patterns)) == len(patterns)
        for pattern in patterns:
            assert "{case}" in pattern
            assert pattern.endswith(suffixes("formats", "open_mask"))


def test_its_labels_are_of_files_or_a_preset(layout):
    assert all("{" not in each for each in layout.label_files)
    if layout.labels in presets():
        assert load_labels(layout.labels).known


def named(pattern, case):
    """Return a file that a pattern matches."""
    return pattern.replace("{case}", case).replace("{label}", "liver").replace("*", "x1")


@pytest.mark.parametrize("name", LAYOUTS)
def test_any_of_its_patterns_pair_with_its_first(name, tmp_path):
    """Two cases of each pattern, beside the first one of the other side, are paired, whatever pattern is found."""
    layout = layout_of(name)
    both = [(each, layout.references[0]) for each in layout.predictions]
    both += [(layout.predictions[0], each) for each in layout.references[1:]]
    for number, patterns in enumerate(both):
        folders = [str(tmp_path / str(number) / side) for side in "pr"]
        for folder, pattern in zip(folders, patterns, strict=True):
            for case in ("case_001", "case_002"):
                path = Path(folder, named(pattern, case))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        found = lay_out(name, *folders)
        pairing = pair_folders(
            *folders,
            prediction_pattern=found.prediction_pattern,
            reference_pattern=found.reference_pattern,
        )
        assert [case.prediction is not None for case in pairing.cases] == [True, True], patterns
