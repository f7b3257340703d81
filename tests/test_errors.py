"""Errors say what to do wherever they are seen: a traceback shows the hint, once, also after a journey."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from dicecli import errors

KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
#: What may become of an error on its way to whoever reads it.
JOURNEYS = {
    "raised": lambda error: error,
    "pickled": lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own
    "pickled twice": lambda error: pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(error)))),  # noqa: S301 - as above
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
    "told its side": lambda error: error.on_side("reference", "r.png"),
}


@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_traceback_shows_the_hint_once(journey):
    """Of every kind of error; the message itself does not have it."""
    for kind in KINDS:
        error = JOURNEYS[journey](kind("it is broken", "Mend it.", "p.png", "prediction"))
        shown = "".join(traceback.format_exception(error))
        assert shown.count("Hint: Mend it.") == 1
        assert shown.count("it is broken") == 1
        assert str(error).endswith("p.png: it is broken")
        assert error.hint == "Mend it."


def test_no_hint_is_no_note():
    """An error without one says nothing more than its message."""
    assert not hasattr(errors.UsageError("it is broken", ""), "__notes__")


def test_notes_of_others_stay():
    """What a caller adds is shown beside the hint, and travels with it."""
    error = errors.UsageError("it is broken", "Mend it.")
    error.add_note("while scoring a")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["Hint: Mend it.", "while scoring a"]  # noqa: S301 - our own
