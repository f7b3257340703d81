"""Scenarios of hints: how one is come by, how it is followed to the letter, and what must come of that.

A table holds the scenarios of some modules. A scenario is a function of a :class:`Scene`: it writes small masks,
does what is :meth:`~Scene.refused` (or what is :meth:`~Scene.noted`), then what the hint says. What comes of
that is :meth:`~Scene.right`, a number computed apart, or :meth:`~Scene.refused_again`; anything else is a fault.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from contextlib import chdir
from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING, Any

import hint_places
import make
import numpy as np
import pytest
from hint_places import OPTION, Place
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import DicecliError
from dicecli.records.options import table_of
from dicecli.records.settings import AnyOptions
from dicecli.reports.reading_back import from_dict
from dicecli.reports.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Scenario = Callable[["Scene"], object]

#: The tables that there are, one a file: the modules of each, by how their names begin.
MODULES: dict[str, tuple[str, ...]] = {
    "area": (
        *("masks.one_map", "masks.points", "reports.areas", "reports.estimates", "runs.areas", "runs.mapped"),
        *("runs.at_points", "runs.matrix_files", "runs.point_files", "runs.points"),
    ),
    "commands": ("cli.", "plugins", "words"),
    "formats": ("masks.formats.", "masks.gzipped"),
    "losses": ("losses",),
    "masks": ("masks.",),
    "records": ("records.", "metrics."),
    "reports": ("reports.",),
    "runs": ("runs.",),
    "statistics": ("statistics.",),
    "tiff": ("masks.formats.geotiff.",),
}
#: Where tired eyes look for a number: what a command printed, if it printed one.
_REPORTS = ("score", "soft", "points", "batch")

#: Two small masks, and the Dice of label 1: 2 · 2 / (3 + 2).
PREDICTION = np.array([[0, 1, 0], [1, 1, 0]], np.uint8)
REFERENCE = np.array([[0, 0, 0], [1, 1, 0]], np.uint8)
DICE = 0.8


def dice(prediction: Any, reference: Any, labels: Any = None) -> float:
    """Return the mean over labels (those above 0 by default) of Dice, by brute force."""
    prediction, reference = np.asarray(prediction), np.asarray(reference)
    found = {*np.unique(prediction).tolist(), *np.unique(reference).tolist()} - {0}
    values = []
    for label in sorted(found if labels is None else labels):
        here, there = prediction == label, reference == label
        values.append(2 * int((here & there).sum()) / int(here.sum() + there.sum()))
    return sum(values) / len(values)


@dataclass
class Outcome:
    """What came of a command or a call."""

    code: int
    report: Report | None
    text: str
    hints: list[hint_places.Made]
    answer: Any = None


@dataclass
class Scene:
    """A folder, what was done in it, and the place whose hint or note is followed."""

    folder: Path
    place: Place
    hint: str | None = None
    followed: set[str] = field(default_factory=set)

    def png(self, name: str, array: Any, **options: Any) -> None:
        """Write a PNG, of 8 bits where nothing else is said."""
        make.png(self.folder / name, np.asarray(array, None if options else np.uint8), **options)

    def nii(self, name: str, array: Any, **options: Any) -> None:
        """Write a volume."""
        make.nifti(self.folder / name, np.asarray(array), **options)

    def tif(self, name: str, array: Any, **options: Any) -> None:
        """Write a map, or several bands."""
        make.geotiff(self.folder / name, np.asarray(array), **options)

    def npy(self, name: str, array: Any) -> None:
        """Write an array."""
        np.save(self.folder / name, np.asarray(array))

    def text(self, name: str, content: Any) -> None:
        """Write a text, or anything else as JSON."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    def bytes(self, name: str, content: bytes) -> None:
        """Write bytes."""
        (self.folder / name).write_bytes(content)

    def pair(self, prediction: Any = PREDICTION, reference: Any = REFERENCE) -> None:
        """Write ``p.png`` and ``r.png``."""
        self.png("p.png", prediction)
        self.png("r.png", reference)

    def folders(self, *names: str, prediction: Any = PREDICTION, reference: Any = REFERENCE) -> None:
        """Write cases of two folders, ``p`` and ``r``; by default ``a`` and ``b``."""
        for side, array in (("p", prediction), ("r", reference)):
            (self.folder / side).mkdir(exist_ok=True)
            for name in names or ("a", "b"):
                make.png(self.folder / side / f"{name}.png", array)

    def do(self, action: str | Callable[..., Any], *given: Any, **options: Any) -> Outcome:
        """Run a command line as it is printed, or call a function; options that were used are remembered."""
        with hint_places.watching() as made, chdir(self.folder):
            if isinstance(action, str):
                return self._run(shlex.split(action), made)
            self.followed |= {_long(name) for name in options}
            try:
                answer = action(*given, **options)
            except DicecliError as error:
                return Outcome(error.exit_code, None, str(error), made)
        report = answer if isinstance(answer, Report) else None
        failed = report is not None and bool(report.number("failed"))
        return Outcome(3 if failed else 0, report, repr(answer), made, answer)

    def _run(self, words: list[str], made: list[hint_places.Made]) -> Outcome:
        self.followed |= {word.partition("=")[0] for word in words if word.startswith("--")}
        wants_json = words[0] in _REPORTS and not {"-f", "--format", "--dry-run", "-h"} & set(words)
        extra = ["-f", "json"] if wants_json else []
        if words[0] == "batch" and not {"--jobs", "-j", "--executor"} & set(words):
            extra += ["--jobs", "1"]  # what is made in a worker process is not seen here
        found = runner().invoke(cli, [*words, *extra])
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        is_record = wants_json and found.stdout.startswith("{")
        report = from_dict(json.loads(found.stdout)) if is_record else None
        return Outcome(found.exit_code, report, found.stdout + found.stderr, made)

    def refused(self, action: str | Callable[..., Any], *given: Any, **options: Any) -> str:
        """Do what is refused with the hint of this scene, and return that; its options exist where it was made."""
        before = set(self.followed)
        found = self.do(action, *given, **options)
        self.followed = before
        hints = [each.hint for each in found.hints if each.place == self.place.name]
        assert hints, (self.place.name, found.hints, found.text[-600:])
        assert found.code in {2, 3}, (found.code, found.text[-600:])
        self.hint = hints[0]
        _assert_options_exist(self.hint, action)
        return self.hint

    def meant(self) -> str:
        """Return the word that the hint proposes first."""
        assert self.hint is not None, "nothing was refused yet"
        return re.split(r" or |\? ", self.hint.partition("Did you mean ")[2])[0]

    def noted(self, action: str | Callable[..., Any], *given: Any, **options: Any) -> str:
        """Do what is noted with the text of this scene, and return what was matched."""
        found = self.do(action, *given, **options)
        texts = [found.text]
        if found.report is not None:
            texts += [found.report.render("markdown"), json.dumps(found.report.to_dict(), ensure_ascii=False)]
        matched = next(
            (each for text in texts if (each := self.place.pattern.search(" ".join(text.split())))), None
        )
        assert matched, (self.place.text, texts)
        self.hint = self.place.text
        _assert_options_exist(self.hint, action)
        return matched[0]

    def right(self, expected: float, action: str | Callable[..., Any], *given: Any, number: str = "dice", **options: Any) -> Report:  # fmt: skip
        """Follow the hint; its number must be the one that was computed apart."""
        assert self.hint is not None, "nothing was refused yet"
        found = self.do(action, *given, **options)
        assert found.code in {0, 1}, (found.code, found.text[-600:], found.hints)
        assert found.report is not None, found.text
        assert found.report.scored, found.text
        assert pytest.approx(expected, abs=1e-12, nan_ok=True) == found.report.look_up(number).value
        return found.report

    def refused_again(self, action: str | Callable[..., Any], *given: Any, **options: Any) -> str:
        """Follow the hint; there is a further error, with a hint of its own where the error is ours."""
        assert self.hint is not None, "nothing was refused yet"
        found = self.do(action, *given, **options)
        assert found.code in {2, 3}, (found.code, found.text[-600:])
        assert found.report is None or not found.report.scored or found.report.number("failed"), found.text
        return found.text

    def gives(self, expected: float, action: Callable[..., Any], *given: Any, **options: Any) -> None:
        """Follow the hint; what is called gives the number that was computed apart."""
        assert self.hint is not None, "nothing was refused yet"
        found = self.do(action, *given, **options)
        assert found.code == 0, found.text
        assert pytest.approx(expected, abs=1e-12) == float(getattr(found.answer, "value", found.answer))

    def works(self, action: str | Callable[..., Any], *given: Any, **options: Any) -> str:
        """Follow the hint; what it names is done, and gives no number of masks."""
        assert self.hint is not None, "nothing was refused yet"
        found = self.do(action, *given, **options)
        assert found.code == 0, (found.code, found.text[-600:])
        return found.text


def _long(keyword: str) -> str:
    """Return the option of the command line that a keyword of Python is."""
    known = table_of(AnyOptions)
    return f"--{known[keyword].key if keyword in known else keyword.replace('_', '-')}"


def _assert_options_exist(hint: str, action: str | Callable[..., Any]) -> None:
    """Every option that a hint names is one of the command that gave it, or of one that the hint names."""
    if not isinstance(action, str):
        keywords = {
            _long(name)
            for each in (dicecli.score, dicecli.soft, dicecli.batch)
            for name in signature(each).parameters
        }
        own = action in {dicecli.score, dicecli.soft, dicecli.batch}
        strange = set(OPTION.findall(hint)) - keywords
        assert not (own and strange), f"{hint!r} names {strange}, which are no keywords of Python"
        return
    called = [action.split()[0], *re.findall(r"dicecli ([a-z]+)", hint)]
    called += ["score"] * ("inspect" in called)  # what a file needs to be scored
    known = {"-co", "--help", "--help-all"} | {
        option for name in called if name in cli.list_commands(None) for option in options_of(name)
    }
    known |= {"--bounds", "--like", "--resampling"} if re.search(r"\brio (?:clip|warp) ", hint) else set()
    strange = set(OPTION.findall(hint)) - known
    assert not strange, f"{hint!r} names {strange}, which 'dicecli {called[0]}' does not have"


def options_of(command: str) -> set[str]:
    """Return the long options of a command."""
    found = cli.get_command(None, command)
    return {option for each in found.params for option in (*each.opts, *each.secondary_opts)}


class Table:
    """The scenarios of the hints of some modules.

    Parameters
    ----------
    name : str
        Of :data:`MODULES`.
    unfollowed : dict of str to str
        Hints that no program can follow, by place, each with the reason.
    """

    def __init__(self, name: str, unfollowed: dict[str, str] | None = None) -> None:
        self.name = name
        self.unfollowed = unfollowed or {}
        self.scenarios: dict[str, list[Scenario]] = {}
        self.beside: dict[str, dict[str, str]] = {}

    def __call__(self, *names: str, but: dict[str, str] | None = None) -> Callable[[Scenario], Scenario]:
        """Make a function a scenario of the places whose names begin so; `but`: options not followed, and why."""

        def added(scenario: Scenario) -> Scenario:
            for name in names:
                self.scenarios.setdefault(name, []).append(scenario)
                self.beside.setdefault(name, {}).update(but or {})
            return scenario

        return added

    def places(self) -> list[Place]:
        """Return the places of this table's modules: those of no other one that says it more exactly."""
        return [each for name, each in hint_places.places().items() if table_of_module(name) == self.name]

    def of(self, place: Place) -> list[Scenario]:
        """Return the scenarios of a place."""
        return [
            each for name, found in self.scenarios.items() if place.name.startswith(name) for each in found
        ]

    def stale(self) -> list[str]:
        """Return what here is of no place any more, or of a place that has a reason not to be followed, too."""
        names = [place.name for place in self.places()]
        every = {*self.scenarios, *self.unfollowed}
        gone = [each for each in every if not any(name.startswith(each) for name in names)]
        return gone + [each for each in self.scenarios if each in self.unfollowed]

    def follow(self, place: Place, folder: Path) -> None:
        """Follow a hint in every way that this table knows; every option that it names is among them."""
        reasons = [why for name, why in self.unfollowed.items() if place.name.startswith(name)]
        scenarios = self.of(place)
        assert scenarios or reasons, f"nothing follows {place.name!r} ({place.text!r})"
        followed: set[str] = set()
        named = set(OPTION.findall(place.text))
        for number, scenario in enumerate(scenarios):
            inner = folder / str(number)
            inner.mkdir()
            scene = Scene(inner, place)
            scenario(scene)
            assert scene.hint is not None, f"a scenario of {place.name!r} does not raise it"
            followed |= scene.followed
            named |= set(OPTION.findall(scene.hint))
        spared = {
            option for name, found in self.beside.items() if place.name.startswith(name) for option in found
        }
        if scenarios:
            assert named <= followed | spared, (
                f"nothing follows {named - followed - spared} of {place.text!r}"
            )


def table_of_module(name: str) -> str | None:
    """Return the table that a place belongs to: the one whose words for its module are the longest."""
    fitting = [
        (len(word), table) for table, words in MODULES.items() for word in words if name.startswith(word)
    ]
    return max(fitting)[1] if fitting else None


def forbidden_to_read(path: Path) -> Callable[[], None]:
    """Forbid reading a file, even to root, by taking it from those that can be opened; return what allows it again."""
    before = os.open

    def opened(given: Any, *arguments: Any, **options: Any) -> int:
        if os.fspath(given) in {str(path), path.name}:
            raise PermissionError(13, "Permission denied", str(given))
        return before(given, *arguments, **options)

    os.open = opened

    def allow() -> None:
        os.open = before

    return allow


def module_is_missing(*names: str) -> pytest.MonkeyPatch:
    """Make importing modules fail, as where they are not installed; undo() of what is returned brings them back."""
    patch = pytest.MonkeyPatch()
    for name in names:
        patch.setitem(sys.modules, name, None)
    return patch
