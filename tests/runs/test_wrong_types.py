"""Things of a wrong type, given to what Python calls: an error of ours with a hint, and never one of Python's insides."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import dicecli
from dicecli.errors import DicecliError
from dicecli.runs.scoring import make_settings

MASK = np.eye(3, dtype=int)
MAP = np.full((3, 3), 0.25)
REPORT = dicecli.score(MASK, MASK)
SETTINGS = REPORT.settings
WORDS = np.array([["dice", "iou"], ["f1", "x"]])
MATRIX = dicecli.ConfusionMatrix.from_arrays(prediction=MASK, reference=MASK)
CALLS = {
    "a side": MATRIX.sizes,
    "metrics of settings": lambda bad: dicecli.score(MASK, MASK, metrics=[bad]),
    "channels of masks": lambda bad: make_settings(channels=bad if bad is not None else 3),
    "a file": lambda bad: dicecli.batch("p", "r", confusion=np.array(1) if bad is not WORDS else bad),
    "rows of unlike lengths": lambda bad: dicecli.score([[1, bad], [3]], [[1, 2], [3]]),
    "counts of unlike lengths": lambda bad: MATRIX.from_arrays(prediction=[[1, bad], [3]], reference=MASK),
    "look_up": REPORT.look_up,
    "value": lambda bad: REPORT.value(bad, "arrays"),
    "value in a case": partial(REPORT.value, "dice"),
    "value of a row": lambda bad: REPORT.value("dice", "arrays", [bad]),
    "pooled": lambda bad: REPORT.pooled(bad, 1),
    "case": REPORT.case,
    "rows": lambda bad: list(REPORT.rows(bad)),
    "record": REPORT.record,
    "render": REPORT.render,
    "render a part": partial(REPORT.render, "csv"),
    "shown_with": REPORT.shown_with,
    "settings of a report": partial(dicecli.Report, []),
    "results of a report": lambda bad: dicecli.Report(bad, SETTINGS),
    "a result of a report": lambda bad: dicecli.Report([bad], SETTINGS),
    "score by an executor": lambda bad: dicecli.score(MASK, MASK, executor=bad or 5),
    "predictions": lambda bad: dicecli.batch(bad or 5, "."),
    "pairs": lambda bad: dicecli.batch(pairs=bad or 5),
    "a pattern": lambda bad: dicecli.batch(".", ".", prediction_pattern=bad or 5),
    "channels": lambda bad: dicecli.soft(MAP, MASK, channels=bad or object()),
    "score with a name": lambda bad: dicecli.score(MASK, MASK, name=bad or 5),
    "soft with a name": lambda bad: dicecli.soft(MAP, MASK, name=bad or 5),
    "from_matrix": dicecli.from_matrix,
    "from_matrix with a name": lambda bad: dicecli.from_matrix([[1]], name=bad or 5),
    "area": lambda bad: dicecli.area(bad, {0: 1}),
    "areas of a map": lambda bad: dicecli.area([[1, 0], [0, 1]], bad),
    "a map of points": lambda bad: dicecli.points(bad, "points.csv"),
    "a reference of points": lambda bad: dicecli.points("map.tif", bad),
    "score_many": lambda bad: dicecli.score_many(bad, SETTINGS),
    "score_many with settings": partial(dicecli.score_many, []),
    "from_arrays": lambda bad: dicecli.ConfusionMatrix.from_arrays(prediction=bad, reference=MASK),
    "to_pandas": REPORT.to_pandas,
    "plot": lambda bad: REPORT.plot(bad or 5),
    "a row": lambda bad: REPORT[bad],
    "load_labels": lambda bad: dicecli.load_labels({"a": bad} if isinstance(bad, dict) else bad or 5),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_type_is_an_error_of_ours(name):
    """It has a hint, whatever was given."""
    for bad in (None, 1.5, b"x", ["dice"], object(), {"a": 1}):
        with pytest.raises(DicecliError) as error:
            CALLS[name](bad)
        assert error.value.hint


@pytest.mark.parametrize("name", [*[*CALLS][:6], "value in a case", "rows", "record", "render"])
def test_an_array_of_texts_is_an_error_of_ours(name):
    """Though it is not equal to anything."""
    with pytest.raises(DicecliError) as error:
        CALLS[name](WORDS)
    assert error.value.hint


@pytest.mark.parametrize("name", ["metrics", "only", "tolerance", "channels", "threshold", "regions"])
def test_an_array_without_parts_is_an_error_of_ours(name):
    """Nor is an object within one, or a region whose name is no text."""
    call = partial(dicecli.soft, MAP, MASK) if name == "channels" else partial(dicecli.score, MASK, MASK)
    for bad in (np.array(object()), np.array(1j), *([{1: [1]}] if name == "regions" else [])):
        with pytest.raises(DicecliError) as error:
            call(**{name: bad})
        assert error.value.hint
    assert dicecli.score(MASK, MASK, threshold=np.array(0.5), metrics=np.array([], dtype=str)).dice == 1


def test_a_report_lists_what_is_for_those_who_use_it():
    """Not what its parts ask of each other, though that is no secret."""
    listed = {*dir(REPORT)}
    assert {"dice", "headline", "to_pandas", "render", "look_up"} <= listed
    assert not {"check_measured", "overall_of", "table_of", "notes_of", "place_of", "leading"} & listed


@pytest.mark.parametrize("label", ["x", 1.5, WORDS, [1, None]])
def test_what_is_no_label_is_left_out_of_no_matrix(label):
    """Several may be left out at once."""
    with pytest.raises(DicecliError, match="no label"):
        MATRIX.without(label)
    assert MATRIX.without(np.array([0, 1])) == MATRIX.without(0).without(1)
