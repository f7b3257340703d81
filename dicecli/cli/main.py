"""The command group: commands are imported when they are called, and errors end here."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli.streams import prepare, to_nowhere
from dicecli.cli.terminal import wish
from dicecli.errors import DicecliError, OutputError, UsageError
from dicecli.records.version import __version__
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: The commands in groups, each with the first line of its help, so that listing them imports none; a test
#: compares them.
GROUPS = {
    "Commands that score": {
        "score": "Score a predicted mask against its reference.",
        "batch": "Score every prediction of one folder against its reference in another.",
        "soft": "Score a map of probabilities against its reference.",
        "points": "Score a map at points of a reference.",
    },
    "Commands on results": {
        "report": "Render results again, without touching a mask.",
        "explain": "Say what a number of a report is: its value, its metric, over what it was averaged.",
        "area": "Estimate accuracy and areas of a map from a sample of it.",
    },
    "Commands that look up": {
        "inspect": "Say what each file is as a mask or a map of probabilities, and what looks wrong.",
        "metrics": "List the metrics, or explain one.",
        "labels": "List the presets of labels, or show the labels of one or of a file.",
        "config": "Show the options in force, and where each came from.",
    },
}
COMMANDS = {name: said for group in GROUPS.values() for name, said in group.items()}

_EPILOG = """\b
Examples:
  dicecli score prediction.png reference.png
  dicecli batch predictions references -o scores.csv
  dicecli inspect reference.nii.gz

Exit codes: 0 scored; 1 a gate failed; 2 wrong usage; 3 a mask could not be scored."""


#: What a command finds as its context's object where the process is the command's alone.
OWN_PROCESS = "own process"


class Failure(click.ClickException):
    """An error of this project on its way to the terminal: what is wrong, then what to do."""

    def __init__(self, error: DicecliError) -> None:
        super().__init__(str(error))
        setattr(self, "exit_code", error.exit_code)  # noqa: B010 - click types it as the class's alone
        self.hint = error.hint

    def show(self, file: Any = None) -> None:
        """Print ``Error:`` and ``Hint:`` to standard error."""
        target = file or sys.stderr
        error, hint = click.style("Error:", fg="red", bold=True), click.style("Hint:", bold=True)
        click.echo(f"{error} {inert(self.message)}", file=target, color=wish())
        click.echo(f"{hint} {inert(self.hint)}", file=target, color=wish())


def _of_click(error: click.UsageError, ctx: click.Context) -> UsageError:
    """Return what click says of arguments, of the group or of the command that is called."""
    command = error.ctx.command_path if error.ctx else f"{ctx.command_path} {ctx.invoked_subcommand or ''}"
    meant = getattr(error, "meant", "")
    return UsageError(error.format_message(), f"{meant}'{command.rstrip()} --help' shows what it takes.")


class Commands(click.Group):
    """A group whose commands live in modules of this folder, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their importance."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return it."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"dicecli.cli.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Propose commands without importing them; options of the group where one is begun."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        shell = import_module("click.shell_completion")
        fitting = {name: said for name, said in COMMANDS.items() if name.startswith(incomplete)}
        return [shell.CompletionItem(name, help=said) for name, said in fitting.items()]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what this is, examples, and what exit codes mean."""
        super().format_help_text(ctx, formatter)
        super().format_epilog(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write nothing more: examples stand at the top, as in the help of commands."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        width = max(map(len, COMMANDS))
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), said) for name, said in commands.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments; without any, say what one can do, with exit code 2, since nothing was done."""
        if not args and not ctx.resilient_parsing:
            click.echo(import_module("dicecli.cli.start").what_to_do(), err=True)
            ctx.exit(2)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise Failure(_of_click(error, ctx)) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, in colours if the environment wishes; an error of this project becomes a message."""
        ctx.color = wish()
        try:
            return super().invoke(ctx)
        except DicecliError as error:
            raise Failure(error) from error
        except click.UsageError as error:
            raise Failure(_of_click(error, ctx)) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called.

        Raises
        ------
        UnknownName
            There is no such command.
        """
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise import_module("dicecli.cli.start").no_command(args, COMMANDS)
        return super().resolve_command(ctx, args)


_VERSION = "Show the version, what counts pixels, and what decodes PNG."


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version and what is in use, without loading NumPy: the extensions themselves need none."""
    if not wanted or ctx.resilient_parsing:
        return
    kernel = (
        "the C extension"
        if _is_built("statistics.backends._native")
        else "NumPy alone, its C extension not built"
    )
    decoder = "C" if _is_built("masks.formats.png._rows") else "NumPy, its C extension not built"
    click.echo(f"dicecli {__version__} (counts with {kernel}; decodes PNG with {decoder})")
    ctx.exit()


def _is_built(module: str) -> bool:
    try:
        import_module(f"dicecli.{module}")
    except ImportError:
        return False
    return True


@click.command(cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help=_VERSION
)
def cli() -> None:
    """Score segmentation masks: exact Dice, IoU and relatives for PNG, NIfTI and GeoTIFF.

    Masks go in, two files or two folders; a table, CSV, JSON or Markdown comes out.
    """


def main() -> None:
    """Run the command line and end the process with its exit code."""
    prepare()
    if "_DICECLI_COMPLETE" in os.environ:
        import_module("dicecli.cli.completing").prepare()
    try:
        code = cli.main(standalone_mode=False, obj=OWN_PROCESS)
        sys.stdout.flush()
    except (click.ClickException, OutputError) as error:
        shown = Failure(error) if isinstance(error, OutputError) else error
        shown.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = 130
    except OSError as error:
        if error.errno != errno.EPIPE:
            raise
        to_nowhere(sys.stdout.fileno())  # nobody reads on
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
