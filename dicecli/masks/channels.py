"""Which label each channel of a probability map belongs to: as was said, or by a rule that is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import ChannelMismatch, NoChannel, NotProbabilities, UsageError
from dicecli.masks.named_channels import of_label
from dicecli.records.measurements import Row, layers_by_number
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.sources import MaskSource
    from dicecli.records.labels import LabelScheme
    from dicecli.records.probabilities import Probabilities


def channels_of(
    number: int, options: Probabilities, scheme: LabelScheme, path: str | None = None
) -> tuple[tuple[Row, ...], str]:
    """Return what so many channels are, and a note on it.

    Where it was not said: one channel is the only declared label beside the background, else label 1.
    Several that exclude each other are the declared labels in ascending order, with the background; where
    none are declared, 0, 1, 2 ... Several of their own are the declared labels without the background; where
    none are declared, 1, 2, 3 ...

    Raises
    ------
    ChannelMismatch
        There are more or fewer channels than labels.
    """
    if options.channels is not None:
        if len(options.channels) != number:
            named = ", ".join(each.title for each in options.channels)
            raise ChannelMismatch(
                f"it has {counted(number, 'channel')}, and --channels names {len(options.channels)}: {named}",
                "Name every channel, in their order.",
                path,
            )
        return options.channels, _note(options.channels, "as --channels says")
    labels, why = _by_rule(number, scheme, excludes=options.excludes(number))
    if len(labels) != number:
        raise ChannelMismatch(
            f"it has {number} channels; {scheme.source} declares {len(labels)} labels for them: "
            f"{', '.join(map(str, labels))}",
            f"Name the label of each channel, in their order, of those that are declared: --channels "
            f"{','.join(['LABEL'] * min(number, 3))}{',…' * (number > 3)}.",
            path,
        )
    channels = tuple(of_label(label, scheme) for label in labels)
    return channels, _note(channels, why)


def _by_rule(number: int, scheme: LabelScheme, *, excludes: bool) -> tuple[list[int], str]:
    declared = sorted(label for label in scheme.names if label not in scheme.ignore)
    inside = [label for label in declared if label != scheme.background]
    how = "--channels says otherwise"
    if not declared:
        first = 0 if excludes else 1
        return list(range(first, first + number)), f"counted from {first}; {how}"
    if not excludes:
        return inside, f"the declared labels without the background; {how}"
    if scheme.background is not None and scheme.background not in declared and number == len(inside) + 1:
        declared = sorted([*inside, scheme.background])
    return declared, f"the declared labels in ascending order; {how}"


def _note(channels: Sequence[Row], why: str) -> str:
    if len(channels) == 1:
        return f"its one channel is {channels[0].title}: {why}"
    return f"its {len(channels)} channels are {', '.join(each.title for each in channels)}: {why}"


def layer_rows(reference: int, prediction: int, scheme: LabelScheme, path: str) -> tuple[Row, ...]:
    """Return what binary layers are: the declared regions in their order, else layers by number.

    Parameters
    ----------
    reference, prediction : int
        How many layers each side has; 1 is a label map, whose regions must be declared.

    Raises
    ------
    ChannelMismatch
        The sides have other numbers of layers, or the declared regions are more or fewer.
    """
    number = max(reference, prediction)
    how = (
        "If they are the labels of one map, the first label 0, the second label 1 and so on: --argmax. Else "
        f"declare a region for each of the {number} layers, in their order, by the labels that it stands "
        "for: --region NAME=LABELS."
    )
    if reference != prediction and 1 not in {reference, prediction}:
        raise ChannelMismatch(
            f"the reference has {reference} binary layers, the prediction {prediction}",
            "Save the same layers in both, in the same order.",
            path,
        )
    regions = [Row("region", None, name, members) for name, members in scheme.regions.items()]
    if len(regions) != number and (regions or reference != prediction):
        raise ChannelMismatch(
            f"there are {number} binary layers, and {len(regions)} declared regions", how, path
        )
    return tuple(regions) or layers_by_number(number)


def summed_regions(
    channels: Sequence[Row], scheme: LabelScheme, *, excludes: bool
) -> tuple[tuple[Row, ...], list[str]]:
    """Return the regions whose probability is the sum of their labels', and a note on those that have none.

    Only probabilities of channels that exclude each other add up.
    """
    own = {each.name for each in channels if each.label is None}
    labels = {each.label for each in channels}
    found, left_out = [], []
    for name, members in scheme.regions.items():
        kept = tuple(label for label in members if label not in scheme.ignore)
        if excludes and labels.issuperset(kept):
            found.append(Row("region", None, name, kept))
        elif name not in own:
            left_out.append(name)
    note = f"regions whose probability no channel gives are not scored: {', '.join(left_out)}"
    return tuple(found), [note] if left_out else []


def check_types(sources: Sequence[MaskSource], options: Probabilities) -> None:
    """Refuse what is no number, and integers: no network gives them as probabilities.

    Raises
    ------
    NotProbabilities
    """
    first = sources[0]
    kinds = {each.dtype.kind for each in sources}
    if not kinds <= set("biuf"):
        raise NotProbabilities(
            f"its values are of type {first.dtype}: no probabilities",
            "Give floats.",
            first.path,
            "prediction",
        )
    if kinds <= set("iub") and options.logits is None and not options.accept_labels:
        raise NotProbabilities(
            f"its values are of type {first.dtype}: a mask of labels, not probabilities",
            "Score labels with 'dicecli score'. Divide grey levels by 255, as floats. If 0 and 1 are what "
            "the network gave: --accept-labels.",
            first.path,
            "prediction",
        )


def check_covered(
    channels: Sequence[Row], sizes: Mapping[int, int], scheme: LabelScheme, *, excludes: bool
) -> None:
    """Refuse a reference with a label that no channel is about, instead of dropping its pixels.

    The background needs a channel only where channels exclude each other.

    Parameters
    ----------
    channels : sequence of Row
    sizes : mapping of int to int
        Pixels of the reference by label, without ignored ones and nodata.

    Raises
    ------
    NoChannel
    UsageError
        Regions among channels that exclude each other.
    """
    if excludes and any(each.label is None for each in channels):
        raise UsageError(
            "a channel that is a region does not exclude the channels of its labels",
            "Say that channels are probabilities of their own: --independent; or, of logits, --logits "
            "sigmoid.",
        )
    covered = {label for each in channels for label in each.members}
    covered |= set() if excludes or scheme.background is None else {scheme.background}
    bare = {label: n for label, n in sizes.items() if label not in covered}
    if bare:
        shown = some_of([f"{label} ({counted(n, 'pixel')})" for label, n in sorted(bare.items())], 5)
        raise NoChannel(
            f"no channel of the probabilities is about label {shown}; they are about "
            f"{', '.join(each.title for each in channels)}",
            "Say what the channels are: --channels; or, where the reference has other numbers for them, "
            f"which: --map-reference. --ignore-label {min(bare)} leaves these pixels out instead, so that "
            "nothing which is predicted there counts as wrong.",
        )
