"""What a shell proposes for a word that is being typed: metrics, numbers, labels, presets, columns.

Nothing heavy is loaded: a shell waits.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, add_completion_class
from click.shell_completion import FishComplete as _Fish

from dicecli.errors import DicecliError
from dicecli.metrics._catalogue import catalogue, usual_of
from dicecli.plugins import installed, own
from dicecli.records.settings import AVERAGES
from dicecli.reports.text import inert
from dicecli.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from dicecli.metrics._metric import Metric

    Items = list[CompletionItem]


#: What a shell acts on in a word without quotes, which is how bash takes what is proposed to it.
_ACTING, _OPTION = {*"$`\\\"'!&;|<>(){}*?#~"}, ("-", "=")
#: Suffixes of files that may be of labels.
_OF_LABELS = {".json", ".tsv", ".csv", ".txt", ".ctbl"}


class _FishWithCommas(_Fish):
    """Fish, for which a value may hold commas, as a list does."""

    source_template = _Fish.source_template.replace('string split ","', 'string split -m 1 ","')


def prepare() -> None:
    """Make the completion of every shell able to propose lists."""
    add_completion_class(_FishWithCommas)


def files(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Propose files."""
    return [CompletionItem(incomplete, type="file")]


def labels(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Propose presets, and files beside them that may be of labels; where no preset fits, files."""
    from dicecli.records.schemes import presets

    found = _fitting(presets(), incomplete)
    beside = (each.name for each in Path().iterdir() if each.suffix.lower() in _OF_LABELS) if found else ()
    return [*found, *_fitting(sorted(beside), incomplete)] or [CompletionItem(incomplete, type="file")]


def metrics(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Propose metrics of what the command reads, also as the next one of a list with commas."""
    before, comma, word = incomplete.rpartition(",")
    given = {plain(each) for each in before.split(",")}
    reads = _reads(ctx)
    said = {each.example: each.summary for each in _metrics(reads)}
    if "probabilities" not in reads or "labels" in reads:
        said |= {each: "the usual ones of this family" for each in own("metrics") if usual_of(each)}
    said |= dict.fromkeys(installed("metrics"), "of an installed package") | {"all": "every one"}
    return [
        CompletionItem(f"{before}{comma}{name}", help=help_)
        for name, help_ in said.items()
        if plain(name).startswith(plain(word)) and name not in given
    ]


def rows(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Propose labels and regions of --labels by name, also as the next one of a list with commas."""
    before, comma, word = incomplete.rpartition(",")
    return _fitting((f"{before}{comma}{each}" for each in _names(ctx)), f"{before}{comma}{word}")


def numbers(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Propose the names of numbers: a metric; behind a bracket labels of --labels; behind an @ averages."""
    for sign, end, known in (("@", "", AVERAGES), ("[", "]", _names(ctx))):
        head, found, word = incomplete.rpartition(sign)
        if found:
            return _fitting((f"{head}{sign}{each}{end}" for each in known), f"{head}{sign}{word}")
    every, colon, word = incomplete.rpartition(":")
    return _fitting(
        (f"{every}{colon}{each.example}" for each in _metrics(_reads(ctx))), f"{every}{colon}{word}"
    )


def _fitting(words: Iterable[str], incomplete: str) -> Items:
    """Propose words, but none that a shell would take for more than a word once it stands in the line.

    Bash puts it there without quotes, so that what follows a space may become an option.
    """
    return [
        CompletionItem(each)
        for each in words
        if each.lower().startswith(incomplete.lower())
        and not (each.startswith(_OPTION) or _ACTING & {*each} or inert(each) != each)
        and not any(map(str.isspace, each))
    ]


def _reads(ctx: click.Context) -> tuple[str, ...]:
    """Return what predictions may be in the command that is typed."""
    if ctx.info_name == "soft" or ctx.params.get("soft"):
        return ("probabilities",)
    return ("labels",) if ctx.info_name in {"score", "batch"} else ("labels", "probabilities")


def _metrics(reads: tuple[str, ...]) -> list[Metric]:
    return [each for each in catalogue().values() if each.reads in reads]


def _names(ctx: click.Context) -> list[str]:
    """Return the labels and regions of the labels file on the line."""
    from dicecli.records.schemes import load_labels

    with suppress(DicecliError):
        scheme = load_labels(ctx.params.get("labels"))
        return [*scheme.names.values(), *scheme.regions]
    return []
