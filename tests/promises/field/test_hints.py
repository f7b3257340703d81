"""Hints followed literally lead to no wrong number: a hint is the right next step. One input of each kind; all hints: tests/promises/hints."""

from __future__ import annotations

import json
import re

import make
import numpy as np
import pytest

import dicecli
from dicecli.errors import DicecliError, UnknownLabel

#: What is there, and what was predicted: Dice is 2 · 2 / (3 + 2).
REFERENCE = np.array([[0, 0, 0], [1, 1, 0]], np.uint8)
PREDICTION = np.array([[0, 1, 0], [1, 1, 0]], np.uint8)


def hint_of(function, *given, **options):
    """Return the hint of what is refused."""
    with pytest.raises(DicecliError) as caught:
        function(*given, **options)
    return caught.value.hint


def test_grey_levels_are_not_told_to_be_clipped():
    """Grey levels between whole numbers: "clip them to 0 to 1" made 1 of all that is not black."""
    grey = np.where(PREDICTION, 250.5, 3.5)
    hint = hint_of(dicecli.soft, grey, REFERENCE)
    assert "clip" not in hint
    assert "Divide grey levels by 255" in hint
    assert dicecli.soft(grey / 255, REFERENCE).look_up("dice_at_half[1]").value == 0.8


def test_an_overshoot_is_clipped_before_anybody_speaks_of_logits():
    """Values of -0.02 to 1.02, as cubic interpolation leaves them: as logits they are all near one half."""
    over = np.where(PREDICTION, 1.02, -0.02)
    over[0, 0] = 0.3
    hint = hint_of(dicecli.soft, over, REFERENCE)
    assert hint.index("clip them") < hint.index("logits")
    assert dicecli.soft(np.clip(over, 0, 1), REFERENCE).look_up("dice_at_half[1]").value == 0.8


def test_no_region_is_made_up_for_one_hot_channels(tmp_path):
    """One-hot channels beside labels: "--region whole=1,2,3 --region core=1,3" scored the background's as whole."""
    hot = make.nifti(tmp_path / "p.nii.gz", np.stack([1 - PREDICTION, PREDICTION], -1)[:, :, None])
    labels = make.nifti(tmp_path / "r.nii.gz", REFERENCE[..., None])
    hint = hint_of(dicecli.score, hot, labels)
    assert re.findall(r"--region \S+=[\d,]+", hint) == []
    report = dicecli.score(hot, labels, regions={"rest": [0], "road": [1]})
    assert report.look_up("dice[road]").value == 0.8


def test_the_example_of_a_labels_file_ignores_nothing(tmp_path):
    """A mask of 0 and 255 and the example pasted: "ignore": 255 left out all of what was to be found."""
    hint = hint_of(dicecli.score, PREDICTION, REFERENCE, labels=tmp_path / "missing.json")
    examples = [json.loads(each) for each in re.findall(r"{[^{}]+}", hint)]
    assert examples
    for pasted in examples:
        assert dicecli.score(PREDICTION, REFERENCE, labels=pasted).look_up("dice[1]").value == 0.8
        with pytest.raises(UnknownLabel, match="255"):
            dicecli.score(PREDICTION, REFERENCE * 255, labels=pasted)


def test_the_channels_are_named_by_who_knows_them():
    """Three channels of four labels: "--channels 0,1,2" called the channel of label 4 label 2."""
    p = np.stack([(1 - PREDICTION) / 2, (1 - PREDICTION) / 2, PREDICTION / 2])
    p = p / p.sum(axis=0)
    labels = {"labels": {"0": "rest", "1": "edema", "2": "core", "4": "enhancing"}}
    hint = hint_of(dicecli.soft, p, REFERENCE * 4, labels=labels)
    pasted = hint.partition("--channels ")[2].rstrip(".")
    with pytest.raises(DicecliError, match="'LABEL' is no label"):
        dicecli.soft(p, REFERENCE * 4, labels=labels, channels=pasted)
    report = dicecli.soft(p, REFERENCE * 4, labels=labels, channels="0,1,4")
    assert report.look_up("dice_argmax[4]").value == 0.8
