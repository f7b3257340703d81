"""Things of a wrong type, given to what Python calls: an error of ours with a hint, and never one of Python's insides."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import dicecli
from dicecli.errors import DicecliError

MASK = np.eye(3, dtype=int)
MAP = np.full((3, 3), 0.25)
REPORT = dicecli.score(MASK, MASK)
SETTINGS = REPORT.settings
CALLS = {
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
    "score_many": lambda bad: dicecli.score_many(bad, SETTINGS),
    "score_many with settings": partial(dicecli.score_many, []),
    "from_arrays": lambda bad: dicecli.ConfusionMatrix.from_arrays(prediction=bad, reference=MASK),
    "to_pandas": REPORT.to_pandas,
    "plot": lambda bad: REPORT.plot(bad or 5),
    "a row": lambda bad: REPORT[bad],
    "load_labels": lambda bad: dicecli.load_labels(bad or 5),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_type_is_an_error_of_ours(name):
    """It has a hint, whatever was given."""
    for bad in (None, 1.5, b"x", ["dice"], object(), {"a": 1}):
        with pytest.raises(DicecliError) as error:
            CALLS[name](bad)
        assert error.value.hint
