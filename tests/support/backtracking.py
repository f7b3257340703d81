"""Where a regular expression may go back over a text as often as it is long: found by its structure."""

from __future__ import annotations

import ast
import re
from itertools import product
from re import _constants as codes  # type: ignore[attr-defined]  # the standard library's own parser
from re import _parser as parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Characters that stand for all: the first 128, and two beyond.
_ALL = frozenset(map(chr, range(128))) | {"\xe9", "\u2028"}
_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}
#: These begin at every place of a text.
SEARCHING = {"search", "findall", "finditer", "split", "sub", "subn"}


class Item(NamedTuple):
    """Some characters of a text: which ones, whether without bound, whether perhaps none, given back never."""

    chars: frozenset[str]
    is_unbounded: bool
    may_be_none: bool
    is_kept: bool = False


def expressions(package: Path) -> Iterator[tuple[str, str, set[str], int]]:
    """Yield every expression in the source: where, itself, by which functions it is used, its flags."""
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(package).as_posix()
        for node in ast.walk(ast.parse(text)):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
            if is_call and isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
                pattern = node.args[0]
                flags = sum(
                    getattr(re, name).value for name in {*re.findall(r"re\.([A-Z]+)\b", ast.unparse(node))}
                )
                used = {node.func.attr}
                if node.func.attr == "compile":
                    name = re.search(
                        r"^ *(\w+)(?:: [^=]+)? = re\.compile\(", text.split("\n")[node.lineno - 1]
                    )
                    used = {*re.findall(rf"\b{name[1]}\.(\w+)\(", text)} if name else set()
                    used = used or {"fullmatch"}
                yield f"{where}:{node.lineno}", _constant(pattern), used, flags


def _constant(node: ast.expr) -> str:
    """Return the text of an expression; of what is put into it one letter."""
    if isinstance(node, ast.JoinedStr):
        return "".join(each.value if isinstance(each, ast.Constant) else "x" for each in node.values)
    return node.value if isinstance(node, ast.Constant) else "x"


def goes_back(pattern: str, used: set[str], flags: int = 0) -> str | None:
    """Say where an expression may take more than linear time; None where it cannot."""
    parsed = parser.parse(pattern, flags)
    begins = parsed[0][0] if len(parsed) else None
    is_anchored = begins in {codes.AT, codes.ASSERT_NOT}
    for items in _expanded([*parsed]):
        ahead = (
            [Item(_ALL, is_unbounded=True, may_be_none=True)] if used & SEARCHING and not is_anchored else []
        )
        found = _overlap([*ahead, *items], is_whole="fullmatch" in used)
        if found:
            return found
    return None


def _overlap(items: list[Item], *, is_whole: bool) -> str | None:
    for i, one in enumerate(items):
        if not one.is_unbounded or one.is_kept:
            continue
        for j in range(i + 1, len(items)):
            both = one.chars & items[j].chars
            between = items[i + 1 : j]
            may_fail = is_whole or any(not each.may_be_none for each in items[j + 1 :])
            is_bridged = all(each.may_be_none or each.chars & both for each in between)
            if items[j].is_unbounded and both and may_fail and is_bridged:
                return f"parts {i} and {j} share {''.join(sorted(both))[:10]!r}"
    return None


def _expanded(parsed: list[Any]) -> list[list[Item]]:
    """Return every row of items that an expression may be; what is repeated stands twice."""
    rows: list[list[Item]] = [[]]
    for code, value in parsed:
        rows = [[*row, *more] for row, more in product(rows, _of_one(code, value))][:500]
    return rows


def _of_one(code: Any, value: Any) -> list[list[Item]]:
    chars = _chars(code, value)
    if chars is not None:
        return [[Item(chars, is_unbounded=False, may_be_none=False)]]
    if code is codes.SUBPATTERN:
        return _expanded([*value[-1]])
    if code is codes.BRANCH:
        return [row for each in value[1] for row in _expanded([*each])]
    if code in _REPEATS:
        least, most, inner = value
        of_inner = _expanded([*inner])
        is_unbounded, is_kept = most is codes.MAXREPEAT, code is codes.POSSESSIVE_REPEAT
        single = [
            Item(row[0].chars, is_unbounded, least == 0, is_kept)
            for row in of_inner
            if len(row) == 1 and not row[0].is_unbounded
        ]
        if len(single) == len(of_inner):
            return [[each] for each in single]
        twice = [[*one, *two] for one, two in product(of_inner, of_inner)] if most > 1 else of_inner
        twice = [[each._replace(is_kept=each.is_kept or is_kept) for each in row] for row in twice]
        return [*([[]] if least == 0 else []), *twice, *[[each] for each in single]]
    if code is codes.AT and value in {codes.AT_END, codes.AT_END_STRING}:
        return [[Item(frozenset(), is_unbounded=False, may_be_none=False)]]
    if code in {codes.AT, codes.ASSERT, codes.ASSERT_NOT}:
        return [[]]
    raise NotImplementedError(code)


def _chars(code: Any, value: Any) -> frozenset[str] | None:
    if code is codes.LITERAL:
        return frozenset({chr(value)}) if chr(value) in _ALL else frozenset({"\xe9"})
    if code is codes.NOT_LITERAL:
        return _ALL - {chr(value)}
    if code is codes.ANY:
        return _ALL
    if code is codes.IN:
        found = frozenset[str]()
        for kind, what in value:
            if kind is codes.RANGE:
                found |= {each for each in _ALL if what[0] <= ord(each) <= what[1]}
            elif kind is codes.CATEGORY:
                sign = {"SPACE": r"\s", "DIGIT": r"\d", "WORD": r"\w"}[str(what).rpartition("_")[2]]
                sign = sign.upper() if "NOT" in str(what) else sign
                found |= {each for each in _ALL if re.match(sign, each)}
            elif kind is codes.LITERAL:
                found |= {chr(what)}
        return _ALL - found if value[0][0] is codes.NEGATE else found
    return None
