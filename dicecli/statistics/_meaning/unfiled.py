"""Labels that a label map holds and of which the other side, a file for each class, has no file."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from dicecli.errors import Missing
from dicecli.masks.class_names import adding, besides, members_of, side_of_files
from dicecli.masks.layers import meant
from dicecli.masks.opening import on_side, shown
from dicecli.records.measurements import Row
from dicecli.records.only import Only
from dicecli.statistics._apart import to_compare, whole
from dicecli.statistics._opened import DEPTHS
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from dicecli.masks.pair import Pair
    from dicecli.records.cases import Case
    from dicecli.records.label_maps import Side
    from dicecli.records.settings import Settings
    from dicecli.statistics._apart import Counted

_NAMED = 5


def with_unfiled(case: Case, pair: Pair, census: Counted, settings: Settings) -> Case | None:
    """Return a case with each class that the reference has besides those of the prediction's files.

    These are the declared labels that a reference of all labels holds; and on either side what alone is asked
    for and has no file.

    Parameters
    ----------
    case : Case
        With the classes that have files in the run.
    pair : Pair
    census : mapping
    settings : Settings

    Returns
    -------
    Case or None
        None where it has every class already.

    Raises
    ------
    Missing
        There are such, and what is missing is not to be taken for empty.
    """
    side = side_of_files(case)
    if side is None or pair.is_soft:
        return None
    names, scheme = getattr(case, side).names, settings.labels
    sizes = _sizes_beside(side, pair, census, settings)
    wanted = besides(names, settings)
    if settings.only is None and side == "prediction":
        filed = {label for name in names for label in members_of(name, scheme)}
        labels = [label for label in scheme.names if settings.evaluates(label) and label not in filed]
        wanted = [*dict.fromkeys(scheme.names[label] for label in labels)]
    held = {
        name: pixels
        for name in wanted
        if (pixels := sum(sizes.get(label, 0) for label in members_of(name, scheme)))
    }
    if held and settings.missing != "zero":
        raise _missing(case, side, held, settings)
    return adding(case, side, held) if held and settings.only is None else None


def _sizes_beside(side: Side, pair: Pair, census: Counted, settings: Settings) -> dict[int, int]:
    """Return the pixels of each label of the label map, of those that are compared."""
    other: Side = "reference" if side == "prediction" else "prediction"
    source = (pair.reference if other == "reference" else pair.prediction)[0]
    matrices = {at: each for at, each in census.items() if at != DEPTHS}
    everywhere = whole(matrices)[0, 0].sizes(other)
    renamed = on_side(other, source, meant, other, source, everywhere, settings).labels
    found: dict[int, int] = {}
    for at, pixels in to_compare(matrices)[0, 0].sizes(other).items():
        found[renamed[at]] = found.get(renamed[at], 0) + pixels
    return found


def _missing(case: Case, side: Side, held: dict[str, int], settings: Settings) -> Missing:
    other = "reference" if side == "prediction" else "prediction"
    scheme, filed = settings.labels, getattr(case, side).names
    asked = [
        name for name in filed if settings.has_layer(Row("region", None, name, members_of(name, scheme)))
    ]
    there = shlex.quote(Only((), tuple(asked or filed)).in_words())
    one = "class" if len(held) == 1 else "classes"
    said = some_of([f"{name}, {counted(pixels, 'pixel')}" for name, pixels in held.items()], _NAMED)
    return Missing(
        f"the {side} has no file of {len(held):,} {one}, which the {other}, a label map, holds: {said}",
        "Make a file of each; or count them as empty: --missing zero; or leave the case out: --missing skip; "
        f"or score the other classes alone: --only {there}.",
        f"{shown(case.prediction)} against {shown(case.reference)}",
    )
