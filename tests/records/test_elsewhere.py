"""Who comes from another library is told what its words are here, and what is told works."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pytest

import dicecli
from dicecli.errors import UnknownName, UsageError
from dicecli.records.elsewhere import ELSEWHERE, advised

MASK = np.array([[0, 1], [2, 1]])


def either(**options):
    """Make settings of masks, or of maps of probabilities: a batch takes the options of both."""
    try:
        dicecli.make_settings(**options)
    except UsageError:
        dicecli.make_settings(soft=True, **options)


#: Of each function: what it is given besides, and how its options are checked without any mask.
FUNCTIONS = {
    "score": ({"prediction": MASK, "reference": MASK}, dicecli.make_settings),
    "soft": (
        {"probabilities": MASK, "reference": MASK},
        lambda **options: dicecli.make_settings(soft=True, **options),
    ),
    "batch": ({"predictions": "p", "references": "r"}, either),
}


def keywords(call):
    return tuple(inspect.signature(call).parameters)


def told(call, name, given):
    """Return what is proposed instead of a word: a keyword and its value, None of a side; or a sentence."""
    with pytest.raises(UsageError, match=name) as caught:
        call(**given, **{name: 1})
    first = caught.value.hint.partition(" Known: ")[0]
    if not first.startswith("Here it is "):
        return first, None
    keyword, _, value = first.removeprefix("Here it is ").rstrip(".").partition("=")
    return keyword, ast.literal_eval(value) if value else None


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_word_of_another_library_is_told(function):
    """Whatever is proposed is a keyword of the function, with a value that it takes; or it is to be left out."""
    given, make = FUNCTIONS[function]
    call = getattr(dicecli, function)
    own = keywords(call)
    seen = set()
    for name in ELSEWHERE:
        if name in own:
            continue
        keyword, value = told(call, name, given)
        if value is None:
            assert keyword in own or keyword.startswith(
                ("Leave it out", "Give threshold=0.5", "Known: ", "Did you mean")
            )
        else:
            assert keyword in own
            if keyword in keywords(dicecli.make_settings):
                make(**{keyword: value})
        seen.add(keyword)
    assert {"labels", "ignore_label", "reference" if function != "batch" else "references"} <= seen


def test_a_word_of_another_library_is_told_by_losses():
    """So do losses, for people who come with the keywords of MONAI and segmentation_models."""
    pytest.importorskip("torch", reason="torch is not installed")
    from dicecli import losses

    for module in (losses.DiceLoss, losses.DiceCELoss, losses.GeneralizedDiceLoss):
        for name in ELSEWHERE:
            if name not in keywords(module):
                keyword, value = told(module, name, {})
                if value is not None:
                    module(**{keyword: value})
    assert told(losses.DiceLoss, "ignore_index", {}) == ("ignore_label", 255)
    assert told(losses.DiceLoss, "lambda_dice", {})[0].startswith("Known")  # it has no cross-entropy
    assert told(losses.DiceCELoss, "lambda_dice", {}) == ("dice_weight", 1.0)
    with pytest.raises(UnknownName) as caught:
        losses.dice_loss(input=1, target=2)
    assert caught.value.hint.startswith("Here it is prediction. Known: prediction, reference, ")


def test_what_nobody_says_is_not_told():
    assert advised("xyzzy", ("metrics",)) == ""
    assert advised("beta", ("prediction",)) == ""


def test_functions_without_options_say_what_they_take():
    """Of a plain function, and of a class's: the words of others, and what is missing."""
    with pytest.raises(UnknownName) as caught:
        dicecli.ConfusionMatrix.from_arrays(y_true=MASK, y_pred=MASK)
    assert caught.value.hint == "Here it is reference. Known: prediction, reference, ignore_label."
    with pytest.raises(UsageError, match="missing a required argument: 'prediction'") as caught:
        dicecli.ConfusionMatrix.from_arrays()
    assert (
        "from_arrays(prediction=..., reference=...); by their names also ignore_label." in caught.value.hint
    )
    with pytest.raises(UsageError, match="missing a required argument: 'settings'") as caught:
        dicecli.score_many([])
    assert caught.value.hint == "Write score_many(cases, settings)."


def test_an_error_of_another_kind_inside_stays():
    """A TypeError that is no fault of the call is not hidden by what is said of calls."""

    class Nothing:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("no array of mine")

    with pytest.raises(TypeError, match="no array of mine"):
        dicecli.ConfusionMatrix.from_arrays(prediction=Nothing(), reference=MASK)


def test_labels_are_declared_by_a_mapping_of_them_alone():
    """Numbers to names, as anybody would write them."""
    expected = dicecli.load_labels({"labels": {"0": "background", "1": "liver"}})
    assert expected == dicecli.load_labels({0: "background", 1: "liver"})
