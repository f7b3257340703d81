"""Commands and options as ``--help`` shows them: what goes in and out, examples, then options in groups."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli.choices import OutputPath, Several
from dicecli.cli.origins import telling
from dicecli.cli.overwriting import check_files
from dicecli.cli.slips import no_option
from dicecli.records.settings import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dicecli.records.options import Topic
    from dicecli.records.settings import Reads

    #: A command, or the function that becomes one.
    Command = Callable[..., object]

#: The groups of options in their order, each with its title; what is about nothing else is about help.
TOPICS: Mapping[Topic, str] = {
    "sides": "What is compared",
    "labels": "Labels",
    "metrics": "Metrics",
    "output": "What is printed and written",
    "gates": "Gates",
    "running": "How it runs",
    "reading": "Reading files",
    "help": "Help",
}
#: As wide as names of options get beside what they mean; wider ones have a line of their own.
_NAMES = 28
#: By this word the context of a command says that its help is to show every option.
SHOWS_ALL = "dicecli.shows_all"


def _show_all(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the help with every option."""
    if wanted and not ctx.resilient_parsing:
        ctx.meta[SHOWS_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


def _write_options(options: Iterable[tuple[Topic, tuple[str, str]]], formatter: click.HelpFormatter) -> None:
    """Write options in their groups, in one column; within a group they keep their order.

    Parameters
    ----------
    options : iterable of (topic, (names, meaning))
    formatter : click.HelpFormatter
    """
    groups: dict[Topic, list[tuple[str, str]]] = {}
    for topic, record in options:
        groups.setdefault(topic, []).append(record)
    widest = max((len(names) for group in groups.values() for names, _ in group), default=0)
    for topic, title in TOPICS.items():
        if topic in groups:
            with formatter.section(title):
                group = [(names.ljust(min(widest, _NAMES)), meaning) for names, meaning in groups[topic]]
                formatter.write_dl(group, col_max=_NAMES)


class OptionsCommand(click.Command):
    """A command whose ``--help`` shows the usual options in groups, and ``--help-all`` the others as well."""

    _help: click.Option | None = None

    @property
    def unusual(self) -> list[SharedOption]:
        """The options that ``--help`` does not show."""
        every = [each for each in self.params if isinstance(each, SharedOption)]
        return [each for each in every if not each.is_usual_in(self)]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option that asks for help: always the same, which click 8.1 makes anew."""
        if self._help is None:
            self._help = super().get_help_option(ctx)
        return self._help

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options and arguments, those on help last."""
        return [*super().get_params(ctx), self._every]

    @cached_property
    def _every(self) -> click.Option:
        """The option that shows every one: always the same, so that what it came before is known."""
        return click.Option(
            ["--help-all"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_show_all,
            hidden=not self.unusual,
            help="Show this message with every option.",
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments; an option that there is not is refused with the one that may be meant.

        Raises
        ------
        UnknownName
        """
        try:
            return super().parse_args(ctx, [*args])
        except click.NoSuchOption as error:
            raise no_option(ctx, error.option_name, args) from error

    def invoke(self, ctx: click.Context) -> object:
        """Run the command, once none of its outputs would take the place of what it reads.

        Raises
        ------
        OutputError, ConfigError
        """
        check_files(ctx)
        with telling(ctx):
            return super().invoke(ctx)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, and its examples."""
        super().format_help_text(ctx, formatter)
        super().format_epilog(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in their groups, in each the usual ones first."""
        every = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        found = []
        for each in sorted(every, key=lambda each: isinstance(each, SharedOption) and not each.is_usual):
            record = each.get_help_record(ctx)
            if record is not None:
                found.append((each.topic if isinstance(each, SharedOption) else "help", record))
        _write_options(found, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how many options there are besides; examples stand at the top."""
        if self.unusual and not ctx.meta.get(SHOWS_ALL):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(f"{len(self.unusual)} more options: {ctx.command_path} --help-all")


class SharedOption(click.Option):
    """An option of click that knows what it is about, and which runs have it.

    Attributes
    ----------
    reads : tuple of {"labels", "probabilities"}
        What predictions are read as in the runs that have it.
    shown : str or None
        The default in words, where its value does not say it.
    is_usual : bool
        Whether ``--help`` shows it; the others are for ``--help-all``.
    topic : str
        The group in which help shows it, of :data:`~dicecli.cli.helping.TOPICS`.
    writes : callable or None
        Returns, of its value, the files that are written by it: those of an ``OutputPath`` are; None: it may
        name what is read.
    """

    def __init__(
        self,
        *arguments: Any,
        topic: Topic,
        reads: tuple[Reads, ...] = tuple(KINDS),
        shown: str | None = None,
        is_usual: bool = True,
        writes: Callable[[Any], Iterable[str]] | None = None,
        **named: Any,
    ) -> None:
        if shown is not None:
            named["help"] = f"{named['help']}  [default: {shown}]"
        super().__init__(*arguments, **named)
        self.topic = topic
        self.reads = reads
        self.shown = shown
        self.is_usual = is_usual
        self.writes = tuple if isinstance(self.type, OutputPath) else writes

    def type_cast_value(self, ctx: click.Context, value: object) -> object:
        """Convert what is given; of lists with commas the values follow each other."""
        found = super().type_cast_value(ctx, value)
        return self.type.flat(found) if isinstance(self.type, Several) and found else found

    def is_usual_in(self, command: click.Command) -> bool:
        """Whether ``--help`` of a command shows it: not where it needs another option to be of use."""
        return self.is_usual and (self.reads != ("probabilities",) or not _has_soft(command))

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Say of an option that not every run has, where there is a choice, whether it goes with --soft.

        None: it is not shown.
        """
        if not self.is_usual_in(ctx.command) and not ctx.meta.get(SHOWS_ALL):
            return None
        record = super().get_help_record(ctx)
        if record is None or len(self.reads) > 1 or not _has_soft(ctx.command):
            return record
        return record[0], f"{record[1]}  [{'with' if self.reads == ('probabilities',) else 'without'} --soft]"


def _has_soft(command: click.Command) -> bool:
    """Whether a command reads masks, or maps where it is told."""
    return any(each.name == "soft" for each in command.params)


def about(topic: Topic, *names: str, **named: object) -> Callable[[Command], Command]:
    """Return an option of a command alone, about one of the topics of help."""
    return click.option(*names, cls=SharedOption, topic=topic, **named)


def adding(options: Sequence[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """Return what adds options to a command, so that help shows them in this order."""

    def _add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return _add
