"""The options of the losses: written once, the same for a function and its module, and misspelt ones are said."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from dataclasses import MISSING, fields

import places
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from dicecli import losses  # noqa: E402 - without torch there is nothing to import
from dicecli.errors import UnknownName, UsageError  # noqa: E402 - as above
from dicecli.losses import options  # noqa: E402 - as above

LOSSES = {
    options.DiceOptions: (losses.DiceLoss, losses.dice_loss),
    options.GeneralizedDiceOptions: (losses.GeneralizedDiceLoss, losses.generalized_dice_loss),
    options.DiceCEOptions: (losses.DiceCELoss, losses.dice_ce_loss),
}
FUNCTIONS = [function for _, function in LOSSES.values()]
PREDICTION, LABELS = torch.tensor([[[0.2, 0.9], [0.8, 0.1]]]), torch.tensor([[1, 0]])


def defaults(record):
    """Return each option of a record with its default."""
    assert all(field.default is not MISSING for field in fields(record))
    return {field.name: field.default for field in fields(record)}


@pytest.mark.parametrize("record", LOSSES)
def test_a_function_and_its_module_show_the_options(record):
    """`help` and `inspect.signature` show every option, by name alone, with its default."""
    for each in LOSSES[record]:
        shown = inspect.signature(each).parameters
        only_named = {name: one for name, one in shown.items() if one.kind is one.KEYWORD_ONLY}
        assert defaults(record) == {name: one.default for name, one in only_named.items()}
        others = () if isinstance(each, type) else ("prediction", "reference")
        assert [*others] == [name for name in shown if name not in only_named]


@pytest.mark.parametrize("record", LOSSES)
def test_every_option_is_described(record):
    """Each stands in the documentation of its module, or of the module whose options that one takes over."""
    texts = [losses.DiceLoss.__doc__, LOSSES[record][0].__doc__]
    described = {
        name
        for text in texts
        for line in re.findall(r"^    ([a-z_, ]+) : ", text, re.MULTILINE)
        for name in line.split(", ")
    }
    assert set() == set(defaults(record)) - described


def test_the_page_has_every_option_with_its_default():
    """So does the table of docs/soft.md, and no option that there is not."""
    words = {"True": "yes", "False": "no", "None": "none", "1.0": "1", "1e-05": "1e-5"}
    every = {name: value for record in LOSSES for name, value in defaults(record).items()}
    expected = {name: words.get(repr(value), f"`{value}`") for name, value in every.items()}
    expected["class_weights"] = "equal"
    text = (places.ROOT / "docs" / "soft.md").read_text(encoding="utf-8")
    table = text[text.index("## Train with Dice losses") :].split("| option | meaning | default |")[1]
    shown = {}
    for line in table.split("\n\n")[0].splitlines()[2:]:
        first, *_, last = (cell.strip() for cell in line.strip("|").split(" | "))
        names = re.findall("`([a-z_]+)`", first)
        values = last.strip(" |").split(", ")
        shown |= dict(zip(names, values * (len(names) if len(values) == 1 else 1), strict=True))
    assert expected == shown


@pytest.mark.parametrize("record", LOSSES)
def test_a_misspelt_option_lists_the_right_ones(record):
    """It is an error that proposes the nearest name and lists every one, of the function and of the module."""
    module, function = LOSSES[record]
    for call in (lambda: module(smoth=1.0), lambda: function(PREDICTION, LABELS, smoth=1.0)):
        with pytest.raises(UnknownName, match="smoth") as caught:
            call()
        assert "Did you mean smooth?" in caught.value.hint
        listed = caught.value.hint.split("Known: ")[1].rstrip(".").split(", ")
        assert list(defaults(record)) == [each for each in listed if each not in {"prediction", "reference"}]


def test_an_option_of_another_loss_is_unknown():
    """Generalised Dice has no form: it is not taken in silence."""
    with pytest.raises(UnknownName, match="form"):
        losses.GeneralizedDiceLoss(form="squared")


def test_options_are_given_by_name():
    """A third value without a name, or a side that is missing, is an error that says how to write it."""
    for wrong in (
        lambda: losses.dice_loss(PREDICTION, LABELS, "squared"),
        lambda: losses.dice_loss(PREDICTION),
        lambda: losses.dice_loss(reference=LABELS),
    ):
        with pytest.raises(UsageError, match="a prediction and a reference are expected") as caught:
            wrong()
        assert caught.value.hint.startswith("Write dice_loss(prediction, reference)")
    with pytest.raises(UsageError, match="options are given by name") as caught:
        losses.DiceLoss("squared")
    assert caught.value.hint.startswith("Write DiceLoss(smooth=...): smooth, activation,")
    by_name = losses.dice_loss(prediction=PREDICTION, reference=LABELS)
    assert by_name == losses.dice_loss(PREDICTION, LABELS)


def test_options_stay_as_they_were_checked():
    """What was checked when it was given cannot be changed afterwards."""
    loss = losses.DiceLoss(smooth=0.5)
    with pytest.raises(AttributeError):
        loss.options.smooth = -1.0


@pytest.mark.parametrize("record", LOSSES)
def test_modules_travel(record):
    """A module that was pickled or copied has the options and class weights that it had, and a function is itself."""
    module, function = LOSSES[record]
    weights = {"class_weights": [1, 3]} if "class_weights" in defaults(record) else {}
    loss = module(smooth=0.5, **weights)
    for other in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss)):  # noqa: S301 - our own
        assert repr(loss) == repr(other)
        assert loss(PREDICTION, LABELS) == other(PREDICTION, LABELS)
    assert function is pickle.loads(pickle.dumps(function))  # noqa: S301 - our own


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_compile(function):
    """torch.compile takes a function as one graph too, and what is wrong with its options is said as without."""
    pytest.importorskip("torch._dynamo", reason="this torch cannot compile")
    few = {"smooth": 0.5, "ignore_label": 7}

    def loss(x, y):
        return function(2 * x, y, activation="softmax", **few)

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    assert loss(PREDICTION, LABELS).item() == pytest.approx(compiled(PREDICTION, LABELS).item(), abs=1e-7)
    few["smooth"] = -1.0
    with pytest.raises(UsageError, match="smooth is -1"):
        torch.compile(loss, backend="aot_eager")(PREDICTION, LABELS)
