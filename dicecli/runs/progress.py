"""How far a run is: a bar on a terminal or in a notebook, elsewhere a line now and then on standard error."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Self

from dicecli.errors import UsageError
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from dicecli.records.cases import Result

#: Seconds between two lines where there is no terminal.
_EVERY = 10.0
#: Seconds between two looks of the bar. It has no thread for that: workers are forked from this process.
_SHOWN_EVERY = 0.1


class Progress:
    """Counts cases as they are done; a context manager that is called with position and result."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total = total
        self._quiet = quiet
        self._done = self._new = self._failed = 0
        self._started = self._said = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self._shown: Any = None

    def __enter__(self) -> Self:
        if not self._quiet and _is_notebook():
            from IPython.display import display

            self._shown = display(self, display_id=True)
        elif not self._quiet and sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task("cases", total=self._total, failed="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._shown is not None:
            self._shown.update(self)

    def __call__(self, result: Result, *, is_new: bool) -> None:
        """Take note of a case that is done, now or in the run that this one goes on with."""
        self._done += 1
        self._new += is_new
        self._failed += result.status == "failed"
        if self._bar is not None:
            failed = f"{self._failed:,} failed" if self._failed else ""
            self._bar.update(self._task, advance=1, failed=failed)
            if time.monotonic() - self._said >= _SHOWN_EVERY:
                self._said = time.monotonic()
                self._bar.refresh()
        elif self._shown is not None:
            if time.monotonic() - self._said >= _SHOWN_EVERY:
                self._said = time.monotonic()
                self._shown.update(self)
        elif not self._quiet and time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            sys.stderr.write(f"{self._line()}\n")
            sys.stderr.flush()

    def __repr__(self) -> str:
        if self._done < self._total:
            return self._line()
        seconds = time.monotonic() - self._started
        return f"{self._done:,} of {counted(self._total, 'case')} in {_duration(seconds)}{self._failures()}"

    def _repr_html_(self) -> str:
        return f'<progress value="{self._done}" max="{self._total}"></progress> {self!r}'

    def _line(self) -> str:
        rate = max(self._new, 1) / max(time.monotonic() - self._started, 1e-9)
        left = (self._total - self._done) / rate
        done = f"{self._done:,} of {counted(self._total, 'case')}"
        return f"{done}, {rate:.3g} a second, about {_duration(left)} left{self._failures()}"

    def _failures(self) -> str:
        return f", {self._failed:,} failed" if self._failed else ""


def watching(
    told: bool | Callable[[int, int, Result], object], total: int
) -> AbstractContextManager[Callable[..., None] | None]:
    """Return what is entered while cases are scored, and gives what is told of each that is done.

    Parameters
    ----------
    told : bool or callable
        True: a bar, or lines; False: nothing; or a function of how many are done, of all, and of the result.
    total : int

    Raises
    ------
    UsageError
        It is something else.
    """
    if told is True:
        return Progress(total, quiet=False)
    if told is False or told is None:
        return nullcontext()
    if not callable(told):
        raise UsageError(
            f"progress is {told!r}", "Give True for a bar, or a function: progress(done, total, result)."
        )
    done = 0

    def _tell(result: Result, *, is_new: bool) -> None:
        nonlocal done
        del is_new
        done += 1
        told(done, total, result)

    return nullcontext(_tell)


def _is_notebook() -> bool:
    """Whether what is shown goes to a notebook: IPython is loaded, and in a kernel."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Rate(ProgressColumn):
        """Cases a second."""

        def render(self, task: Any) -> Text:
            """Say nothing before there is a speed."""
            return Text(f"{task.speed:.3g}/s" if task.speed else "")

    return Bar(
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    )
