"""What is said of the channels of a probability map: labels and regions, by number or name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.alike import one_form
from dicecli.records.label_maps import check_fit
from dicecli.records.measurements import Row
from dicecli.words import did_you_mean, listed

if TYPE_CHECKING:
    from dicecli.records.labels import LabelScheme


def parse_channels(given: str | Iterable[str | int | Row], scheme: LabelScheme) -> tuple[Row, ...]:
    """Read what the channels are: labels, names of labels, or names of regions, in the channels' order.

    Parameters
    ----------
    given : str, or iterable of str, int or Row
        A list with commas (:func:`dicecli.words.listed`), or the parts of it; a row is a channel already.
    scheme : LabelScheme
        Where names come from.

    Raises
    ------
    UsageError
        A name that neither a label nor a region has, a label that is not declared, or one that stands twice.
    """
    if isinstance(given, str):
        given = listed(given)
    parts = list(given) if isinstance(given, Iterable) else [given]
    found = tuple(each if isinstance(each, Row) else _channel(str(each).strip(), scheme) for each in parts)
    for place, channel in enumerate(found):
        if channel in found[:place]:
            raise UsageError(
                f"{channel.title} stands twice among the channels", "Each channel has a label of its own."
            )
    return found


def _channel(text: str, scheme: LabelScheme) -> Row:
    text = one_form(text)
    if text in scheme.regions:
        return Row("region", None, text, scheme.regions[text])
    by_name = {name: label for label, name in scheme.names.items()}
    if text in by_name:
        return of_label(by_name[text], scheme)
    if re.fullmatch(r"-?\d{1,4000}", text):
        label = int(text)
        check_fit((label,), "--channels")
        if scheme.is_declared and label not in {*scheme.names, scheme.background}:
            raise UsageError(
                f"label {label} of --channels is not declared by {scheme.source}", _declared(scheme)
            )
        return of_label(label, scheme)
    raise UsageError(
        f"'{text}' is no label, no label's name and no region",
        f"{did_you_mean(text, (*by_name, *scheme.regions))}Name the channels in their order, by number or "
        f"name, with commas between. {_declared(scheme)}",
    )


def _declared(scheme: LabelScheme) -> str:
    known = [*(f"{label} ({name})" for label, name in scheme.names.items()), *scheme.regions]
    return f"Declared are {', '.join(known)}." if known else "Names come from --labels and --region."


def of_label(label: int, scheme: LabelScheme) -> Row:
    """Return the channel that is about a label, with the name that it has."""
    return Row("label", label, scheme.name(label), (label,))
