"""The options of the losses: each stands here once, with its type, its default and what it may be.

A loss has one record of options, and its function and its module take the record's fields as keywords:
:func:`as_function` and :func:`as_init` give them that signature, for people and for type checkers. What an
option means is said at :class:`~dicecli.losses.DiceLoss`.
"""

from __future__ import annotations

import functools
import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from dicecli.errors import UsageError
from dicecli.losses.activations import ACTIVATIONS
from dicecli.plugins import unknown
from dicecli.records.calling import no_keyword
from dicecli.records.probabilities import SMOOTH
from dicecli.statistics.soft.forms import FORMS, WEIGHTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from dicecli.losses.ranks import Group

P = ParamSpec("P")
O = TypeVar("O")  # noqa: E741 - options
M = TypeVar("M")

#: The words for options: tuples, as the compiler of torch 2.4 fails on one dictionary in two modules.
ACTIVATION_NAMES = tuple(ACTIVATIONS)
AVERAGING_NAMES = ("macro", "micro", "weighted")
FORM_NAMES = tuple(FORMS)
WEIGHTING_NAMES = tuple(WEIGHTINGS)
_WRONG = "a prediction and a reference are expected, and options by name"


@dataclass(frozen=True, kw_only=True, eq=False)
class Options:
    """What all losses have.

    Raises
    ------
    UnknownName, UsageError
        Of these and the classes below: options that make no sense.
    """

    smooth: float = SMOOTH
    activation: str = "none"
    temperature: float = 1.0
    imagewise: bool = False
    include_background: bool = True
    ignore_label: int | None = None
    reduce_group: Group | None = None
    validate: bool = True

    def __post_init__(self) -> None:
        _check_name("activation", self.activation, ACTIVATION_NAMES)
        if not (0 < self.temperature < math.inf):
            raise UsageError(
                f"temperature is {self.temperature}, and must be above 0", "1 leaves logits as they are."
            )
        if self.activation == "none" and self.temperature != 1:
            raise UsageError(
                f"temperature is {self.temperature} without an activation",
                "A temperature divides logits: choose activation='sigmoid' or 'softmax', or leave it out.",
            )
        _check_amount("smooth", self.smooth, "1e-5 is what the scores use.")
        label = self.ignore_label
        if label is not None and (
            isinstance(label, bool) or not isinstance(label, int) or not -(2**63) <= label < 2**63
        ):
            raise UsageError(
                f"ignore_label is {label!r}, and must be one integer of 64 bits",
                "Give the label to leave out, as 255.",
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class DiceOptions(Options):
    """What Dice loss has; class weights are checked where they become a tensor."""

    form: str = "standard"
    averaging: str = "macro"
    class_weights: Sequence[float] | Tensor | None = None

    def __post_init__(self) -> None:
        _check_name("form", self.form, FORM_NAMES)
        _check_name("averaging", self.averaging, AVERAGING_NAMES)
        super().__post_init__()


@dataclass(frozen=True, kw_only=True, eq=False)
class DiceCEOptions(DiceOptions):
    """What Dice loss plus cross-entropy has."""

    dice_weight: float = 1.0
    ce_weight: float = 1.0

    def __post_init__(self) -> None:
        _check_amount("dice_weight", self.dice_weight, "1 takes this part as it is.")
        _check_amount("ce_weight", self.ce_weight, "1 takes this part as it is.")
        super().__post_init__()


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneralizedDiceOptions(Options):
    """What generalised Dice loss has."""

    weighting: str = "square"

    def __post_init__(self) -> None:
        _check_name("weighting", self.weighting, WEIGHTING_NAMES)
        super().__post_init__()


def _check_name(kind: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise unknown(kind, name, known)


def _check_amount(name: str, value: float, hint: str) -> None:
    if not (0 <= value < math.inf):
        raise UsageError(f"{name} is {value}, and must be 0 or above", hint)


class Loss(Protocol[P]):
    """A loss as a function: a prediction, a reference, and options as keywords."""

    def __call__(
        self, prediction: Tensor, reference: Tensor, *only_by_name: P.args, **options: P.kwargs
    ) -> Tensor:
        """Return the loss, without axes."""


def as_function(record: Callable[P, O]) -> Callable[[Callable[[Tensor, Tensor, O], Tensor]], Loss[P]]:
    """Have a function of a prediction, a reference and a record take the record's fields as keywords."""

    def decorated(function: Callable[[Tensor, Tensor, O], Tensor]) -> Loss[P]:
        @functools.wraps(function)
        def loss(
            prediction: Tensor | None = None,
            reference: Tensor | None = None,
            *args: P.args,
            **options: P.kwargs,
        ) -> Tensor:
            _check_known(options, known)
            if prediction is None or reference is None or args:
                raise UsageError(
                    _WRONG, f"Write {loss.__name__}(prediction, reference), and options by name."
                )
            return function(prediction, reference, record(*args, **options))

        known = ("prediction", "reference", *_shown(loss, record))
        return loss

    return decorated


def as_init(
    record: Callable[P, O],
) -> Callable[[Callable[[M, O], None]], Callable[Concatenate[M, P], None]]:
    """Have the ``__init__`` of a module, which is given a record, take the record's fields as keywords."""

    def decorated(init: Callable[[M, O], None]) -> Callable[Concatenate[M, P], None]:
        @functools.wraps(init)
        def inner(self: M, /, *args: P.args, **options: P.kwargs) -> None:
            _check_known(options, known)
            if args:
                raise UsageError(
                    "options are given by name",
                    f"Write {type(self).__name__}({known[0]}=...): {', '.join(known)}.",
                )
            init(self, record(*args, **options))

        known = _shown(inner, record)
        return inner

    return decorated


def _shown(function: Callable[..., object], record: Callable[..., object]) -> tuple[str, ...]:
    """Show the record's fields instead of the record, the last parameter; return their names."""
    shown, fields = inspect.signature(function), inspect.signature(record).parameters
    own = [each.replace(default=each.empty) for each in list(shown.parameters.values())[:-1]]
    vars(function)["__signature__"] = shown.replace(parameters=[*own, *fields.values()])
    return tuple(fields)


def _check_known(options: Mapping[str, object], known: tuple[str, ...]) -> None:
    for name in options:
        if name not in known:
            raise no_keyword(name, known)
