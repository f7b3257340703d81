"""Where the package makes hints and proposes options, found by reading its source; and which of them a run made."""

from __future__ import annotations

import ast
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import dicecli
from dicecli import errors
from dicecli.records import cases

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(dicecli.__file__).parent
#: An option as a hint writes it.
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
#: What stands for a part of a text that is known only when it is made.
_HOLE = "\0"
_NAMES_ONE = re.compile(rf"(?<![\w-])--[a-z{_HOLE}]")
#: Calls that make an error, or a row that failed, and which of their arguments is the hint.
_ERRORS = {
    name: 1 for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)
}
_MAKERS = _ERRORS | {"error": 1, "kind": 1, "Failed": 3, "Pending": 3}
#: Calls whose texts are help or documentation.
_HELP = {
    "Option",
    "about",
    "option",
    "argument",
    "describe",
    "described",
    "listed",
    "closed",
    "echo_via_pager",
    "Metric",
}
_WORDS = 6
#: Texts with an option in them that propose nothing: help, what was done as an option says, and examples that
#: become part of hints elsewhere.
_PROPOSE_NOTHING = (
    "cli.metrics._of_family: ",
    "cli.kinds.leave_others: Note: not used with --soft",
    "cli.helping.get_help_record: ",
    "masks.channel_arrays._channel_axis: its channels are on axis",
    "masks.channels._declared: ",
    "masks.channels._note: ",
    "masks.channels.channels_of: as --channels says",
    "masks.formats.geotiff._hidden.cover: its … is not used, as",
    "masks.formats.geotiff._extras.describe_extras: it has one band, which is",
    "records.origin.words: ",
    "records.surfaces.parse_tolerances: ",
    "records.surfaces.parse_width: ",
    "records.tools.said: ",
    "reports.schema.parts.",
    "reports.suggestions._of_nodata: --nodata ignore",
    "reports.suggestions._of_void: --ignore-label 255",
    "runs.provenance.origin_of: ",
    "runs.sides.contradiction: --prediction … --reference …",
    "statistics.surface.asked.asked: --boundary-width",
)


@dataclass(frozen=True)
class Place:
    """A place in the source where a hint, or a note that names an option, is made.

    Attributes
    ----------
    name : str
        Module, function and first words: ``masks.encoding.meaning: If both masks are binary, give``.
    file, function : str
    pattern : re.Pattern
        Matches the whole text, as it is printed.
    text : str
        The text, with ``…`` for what is known only when it is made.
    is_note : bool
        Whether it is no error's hint.
    """

    name: str
    file: str
    function: str
    pattern: re.Pattern[str]
    text: str
    is_note: bool

    def beside(self, other: Place | None) -> Place:
        """Return this place; where another one has its name, so that they part later, one for both."""
        if other is None or other.pattern == self.pattern:
            return self
        pattern = re.compile(f"{other.pattern.pattern}|{self.pattern.pattern}", re.DOTALL)
        return replace(self, pattern=pattern, text=f"{other.text} / {self.text}")


@cache
def places() -> dict[str, Place]:
    """Return every place by its name; equal hints of one function are one place."""
    found: dict[str, Place] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name != "errors.py":
            for each in _Reader(path).places():
                found[each.name] = each.beside(found.get(each.name))
    return {name: each for name, each in found.items() if not name.startswith(_PROPOSE_NOTHING)}


class _Reader:
    """Reads the places of one module."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.constants = _assigned(self.tree.body)
        self.functions = {
            each.name: each for each in ast.walk(self.tree) if isinstance(each, ast.FunctionDef)
        }
        module = path.relative_to(PACKAGE).with_suffix("")
        self.module = ".".join(part for part in module.parts if part != "__init__") or "dicecli"

    def places(self) -> Iterator[Place]:
        hints: set[ast.AST] = set()
        for function, call in _calls(self.tree):
            if _called(call) in _MAKERS:
                hints |= {each for part in call.args for each in ast.walk(part)}
            for hint in _hint_of(call):
                made_by = [
                    self.functions.get(_called(each)) for each in ast.walk(hint) if isinstance(each, ast.Call)
                ]
                hints |= {each for part in (hint, *filter(None, made_by)) for each in ast.walk(part)}
                yield from (self.place(function, text) for text in sorted(self.texts(hint, function)))
        for function in self.functions.values():  # what a hint is made of
            for name, values in _assigned(ast.walk(function)).items():
                if name in {"hint", "how", "few"}:
                    hints |= {each for value in values for each in ast.walk(value)}
        yield from self.notes(hints)

    def notes(self, hints: set[ast.AST]) -> Iterator[Place]:
        """Yield the texts that name an option and are neither hints nor help."""
        skipped = set(hints)
        for node in ast.walk(self.tree):
            is_help = isinstance(node, ast.Call) and _called(node) in _HELP
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if is_help or is_text or isinstance(node, ast.FunctionDef):
                own = node.decorator_list if isinstance(node, ast.FunctionDef) else [node]
                skipped |= {each for part in own for each in ast.walk(part)}
        for function in self.functions.values():
            for node in ast.walk(function):
                whole = isinstance(node, (ast.JoinedStr, ast.Constant)) and node not in skipped
                for text in self.texts(node, function) if whole else ():
                    if _NAMES_ONE.search(text) and " " in text:
                        skipped |= set(ast.walk(node))
                        yield self.place(function, text, is_note=True)

    def place(self, function: ast.FunctionDef | None, text: str, *, is_note: bool = False) -> Place:
        where = function.name if function else "import"
        first = " ".join(text.replace(_HOLE, "…").split()[:_WORDS])
        pattern = re.compile(".*".join(map(re.escape, text.split(_HOLE))), re.DOTALL)
        shown = text.replace(_HOLE, "…")
        return Place(f"{self.module}.{where}: {first}", str(self.path), where, pattern, shown, is_note)

    def texts(self, node: ast.AST | None, function: ast.FunctionDef | None, depth: int = 0) -> set[str]:
        """Return what an expression may be as a text; nothing where all of it is made elsewhere."""
        found = {each for each in self._texts(node, function, depth) if each.strip(_HOLE + " .")}
        return {re.sub(f"{_HOLE}+", _HOLE, each) for each in found}

    def _texts(self, node: ast.AST | None, function: ast.FunctionDef | None, depth: int) -> set[str]:
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                return self._joined([self._texts(each, function, depth) for each in parts])
            case ast.FormattedValue(value=value):
                return self._texts(value, function, depth)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([self._texts(each, function, depth) for each in (left, right)])
            case ast.IfExp(body=body, orelse=other):
                return self._texts(body, function, depth) | self._texts(other, function, depth)
            case ast.Name(id=name) if depth < 4:
                local = _assigned(ast.walk(function)).get(name, []) if function else []
                values = local or self._given(name, function) or self.constants.get(name, [])
                found = set().union(*(self._texts(each, function, depth + 1) for each in values)) or {_HOLE}
                added = (each for each in ast.walk(function or self.tree) if isinstance(each, ast.AugAssign))
                is_longer = any(ast.unparse(each.target) == name for each in added)
                return {f"{each}{_HOLE * is_longer}" for each in found}
            case ast.Call(func=ast.Name(id="did_you_mean" | "did_you_mean_file")):
                return {"", f"Did you mean {_HOLE}? "}  # of words.py
            case ast.Call(func=ast.Name(id=name)) if name in self.functions and depth < 4:
                inner = self.functions[name]
                ends = [each.value for each in ast.walk(inner) if isinstance(each, ast.Return)]
                return set().union(*(self._texts(each, inner, depth + 1) for each in ends)) or {_HOLE}
            case ast.Call(args=[*_, ast.Constant(value=str(text))]) if " " in text:
                return {text + _HOLE}  # a function elsewhere that adds something to it
        return {_HOLE}

    def _given(self, name: str, function: ast.FunctionDef | None) -> list[ast.AST]:
        """Return what a parameter is where its function is called in this module, and by default."""
        parameters = [each.arg for each in function.args.args] if function else []
        if function is None or name not in parameters:
            return []
        at = parameters.index(name)
        calls = [each for _, each in _calls(self.tree) if _called(each) == function.name]
        given = [each.args[at] for each in calls if len(each.args) > at]
        given += [each.value for call in calls for each in call.keywords if each.arg == name]
        return [*given, *function.args.defaults[at - len(parameters) :][:1]]

    @staticmethod
    def _joined(parts: list[set[str]]) -> set[str]:
        if len(set().union(*parts)) > 12:
            parts = [each if len(each) == 1 else {_HOLE} for each in parts]
        return {"".join(each) for each in product(*parts)}


def _assigned(nodes: object) -> dict[str, list[ast.AST]]:
    """Return the values that names are given."""
    found: dict[str, list[ast.AST]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def _calls(
    tree: ast.AST, function: ast.FunctionDef | None = None
) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Yield every call with the innermost function that it stands in."""
    for node in ast.iter_child_nodes(tree):
        inner = node if isinstance(node, ast.FunctionDef) else function
        if isinstance(node, ast.Call):
            yield function, node
        yield from _calls(node, inner)


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[-1]


def _hint_of(call: ast.Call) -> list[ast.AST]:
    """Return the argument of a call that is a hint, if it has one."""
    name, at = _called(call), _MAKERS.get(_called(call))
    named = [each.value for each in call.keywords if each.arg == "hint"]
    if at is None or named:
        return named
    if name == "kind" and call.args and isinstance(call.args[0], ast.Call):  # a row, as Failed
        at = 3
    return call.args[at : at + 1]


@dataclass
class Made:
    """A hint that was made: its text, and the place that made it."""

    hint: str
    place: str | None


@contextmanager
def watching() -> Iterator[list[Made]]:
    """Note every hint that is made in this process meanwhile, and where."""
    made: list[Made] = []
    kinds = (errors.DicecliError, cases.Failed, cases.Pending)
    before = [kind.__init__ for kind in kinds]

    def noting(init):
        def noted(self, *arguments, **options):
            init(self, *arguments, **options)
            made.append(Made(self.hint, _place_of(self.hint)))

        return noted

    for kind, init in zip(kinds, before, strict=True):
        kind.__init__ = noting(init)
    try:
        yield made
    finally:
        for kind, init in zip(kinds, before, strict=True):
            kind.__init__ = init


def _place_of(hint: str) -> str | None:
    """Return the place in one of the calling functions whose text this is, the innermost first."""
    frame = sys._getframe(2)
    while frame is not None:
        file, function = frame.f_code.co_filename, frame.f_code.co_name
        if file.startswith(str(PACKAGE)):
            for each in _by_function().get((file, function), ()):
                if not each.is_note and each.pattern.fullmatch(hint):
                    return each.name
        frame = frame.f_back
    return None


@cache
def _by_function() -> dict[tuple[str, str], list[Place]]:
    found: dict[tuple[str, str], list[Place]] = {}
    for each in places().values():
        where = "<module>" if each.function == "import" else each.function
        found.setdefault((each.file, where), []).append(each)
    for alike in found.values():  # of two texts that match, the longer one says more
        alike.sort(key=lambda each: -len(each.text))
    return found
