"""Where a report comes from, in words for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.records.origin import Origin, RunOrigin

#: Of runs that differ in something, so many are shown where not everything is.
_SHOWN = 3
#: What stands before a configuration file, and the options that came from it.
OBEYED = "options from"
#: How much of a checksum is shown: enough to tell two files apart.
_DIGITS = 12
#: A checksum as it stands at the end of a text.
CHECKSUM = re.compile(rf"(?<= \(SHA-256 )[\da-f]{{{_DIGITS}}}(?=\)$)")


def said(origin: Origin, *, verbose: bool) -> list[tuple[str, str]]:
    """Return where a report comes from as words and texts, inert, in the order to show them.

    Always the two sides, or the file of pairs; what was given otherwise than by default: patterns, labels,
    options; and the configuration file that was obeyed. With `verbose` the checksum of the labels, the
    version and the day as well.

    Of runs that were put together what they have in common stands once; what they differ in one after the
    other under the same word, unless `verbose` the first three. Empty where nobody said where it comes from.
    """
    found: dict[str, dict[str, None]] = {}
    for run in origin.runs:
        for word, text in _of_run(run, verbose=verbose):
            found.setdefault(word, {})[inert(text)] = None
    for each in origin.rendered_by:
        found.setdefault(OBEYED, {})[inert(str(each))] = None
    pairs = []
    for word, texts in found.items():
        several = list(texts)
        kept = several if verbose or len(several) <= _SHOWN else several[:_SHOWN]
        pairs += [(word, text) for text in kept]
        pairs += [(word, f"and {len(several) - len(kept):,} more")] * (len(kept) < len(several))
    return pairs


def obeyed(origin: Origin) -> tuple[str, ...]:
    """Return each configuration file that was obeyed, or not for its owner, as a note.

    It is for forms that say no more of the origin.
    """
    return (*(f"{OBEYED} {each}" for each in origin.obeyed), *origin.notes)


def _of_run(run: RunOrigin, *, verbose: bool) -> Iterator[tuple[str, str]]:
    plain = (
        ("prediction", run.prediction),
        ("reference", run.reference),
        ("pairs", run.pairs),
        ("prediction pattern", run.prediction_pattern),
        ("reference pattern", run.reference_pattern),
    )
    yield from ((word, text) for word, text in plain if text is not None)
    if run.labels is not None:
        checksum = f" (SHA-256 {run.labels_sha256[:_DIGITS]})" if verbose and run.labels_sha256 else ""
        yield "labels", f"{run.labels}{checksum}"
    if run.options:
        yield "options", " ".join(run.options)
    if run.obeyed is not None:
        yield OBEYED, str(run.obeyed)
    if verbose:
        yield "dicecli", run.version
        if run.date is not None:
            yield "date", run.date
