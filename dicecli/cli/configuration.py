"""The configuration of a repository: the options of the command line, kept in a file.

They stand in ``dicecli.toml``, or in ``pyproject.toml`` under ``[tool.dicecli]``, by their long names. The
command line wins. The file is long because every mistake that can be made in one has an error of its own.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dicecli.errors import ConfigError
from dicecli.records.numbers import is_finite
from dicecli.words import did_you_mean, every, listed, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

OWN, SHARED = "dicecli.toml", "pyproject.toml"
#: A larger file is none that people write, and is not read further.
_MOST_BYTES = 1 << 20
_EXAMPLE = (
    'An option has a line of its own, by its long name: average = "macro", or fail-under = ["dice=0.8"].'
)


@dataclass(frozen=True)
class OptionKind:
    """What an option of the command line takes.

    Attributes
    ----------
    name : str
        The key of its value in what :func:`load` returns; ``long`` is that in files.
    is_flag, is_multiple : bool
        Given without a value; given any number of times.
    is_list : bool
        A text can be several values, with commas between.
    choices : tuple of str
        Its only values; empty: any.
    type : {"text", "integer", "number"}
    is_path, is_output : bool
        Names a file, or may do so; one that is written.
    """

    name: str
    is_flag: bool = False
    is_multiple: bool = False
    is_list: bool = False
    choices: tuple[str, ...] = ()
    type: Literal["text", "integer", "number"] = "text"
    is_path: bool = False
    is_output: bool = False
    long: str = ""


def load(path: Path, known: Mapping[str, OptionKind], alone: Collection[str] = ()) -> dict[str, object]:
    """Read the options of a configuration file.

    Parameters
    ----------
    path : Path
        ``pyproject.toml``, or any other name for a file of options alone.
    known : mapping of str to OptionKind
        By the long names, with hyphens or underscores.
    alone : collection of str, optional
        The long names of options that the command line alone may have.

    Returns
    -------
    dict
        By :attr:`OptionKind.name`; those of repeatable options are lists. Files that are given relative to
        the configuration are joined to its folder.

    Raises
    ------
    ConfigError
        No TOML, an unknown key, or a value that its option does not take; an output outside the folder of
        the configuration.
    """
    kinds = {_hyphened(name): kind for name, kind in known.items()}
    values: dict[str, object] = {}
    for key, value in _table(path).items():
        kind = kinds.get(_hyphened(key))
        if kind is None:
            raise _alone(path, key) if _hyphened(key) in alone else _unknown(path, key, kinds)
        if kind.name in values:
            raise ConfigError(
                f"'{key}' is there twice, with a hyphen and with an underscore", _EXAMPLE, str(path)
            )
        values[kind.name] = _checked(path, key, value, kind)
    return values


def has_table(path: Path) -> bool:
    """Whether a file is for this program; a broken pyproject.toml of another program's is left to that.

    Raises
    ------
    ConfigError
        It is for this program, and cannot be read.
    """
    if path.name == OWN:
        return True
    if b"dicecli" not in _content(path):
        return False
    tools = _toml(path).get("tool")
    return isinstance(tools, dict) and "dicecli" in tools


def _table(path: Path) -> dict[str, object]:
    content = _toml(path)
    if path.name != SHARED and {*content} != {"tool"}:
        if "tool" not in content:
            return content
        what = f"the line [tool.dicecli] stands beside others, which is for {SHARED}"
        raise ConfigError(what, "Leave out the line [tool.dicecli].", str(path))
    tools = content.get("tool", {})
    table = tools.get("dicecli") if isinstance(tools, dict) else tools
    if table is None:
        raise ConfigError("it has no table [tool.dicecli]", "Write its options below that line.", str(path))
    if not isinstance(table, dict):
        raise ConfigError(f"tool.dicecli is {_shown(table)}, a table is expected", _EXAMPLE, str(path))
    return table


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", "Make it readable.", str(path)) from error
    if len(content) > _MOST_BYTES:
        raise ConfigError("is larger than 1 MiB, which no options are", _EXAMPLE, str(path))
    return content


def _toml(path: Path) -> dict[str, object]:
    content = _content(path)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is no TOML: {error}", _EXAMPLE, str(path)) from error


def _hyphened(key: str) -> str:
    return key.replace("_", "-")


def _unknown(path: Path, key: str, known: Mapping[str, OptionKind]) -> ConfigError:
    meant = did_you_mean(_hyphened(key), known)
    how = "those of the commands, without the hyphens before them, as of 'dicecli batch --help-all'"
    return ConfigError(
        f"there is no option '{key}'", f"{meant}Known: {every(sorted(known), how)}.", str(path)
    )


def _alone(path: Path, key: str) -> ConfigError:
    long = f"--{_hyphened(key)}"
    hint = f"Take it out of the file, and give it with the command that it is meant for: {long}."
    return ConfigError(f"{key} stands in a file, and is for the command line alone", hint, str(path))


def _checked(path: Path, key: str, value: object, kind: OptionKind) -> object:
    """Return the value of one option as the command line would have it."""
    several = value if kind.is_multiple and isinstance(value, list) else [value]
    if kind.is_list and kind.type == "integer":
        several = [number for each in several for number in _numbers(each)]
    taken = [_taken(each, kind) for each in several]
    if None in taken:
        slip = several[taken.index(None)]
        meant = did_you_mean(slip, kind.choices) if isinstance(slip, str) else ""
        what = f"{key} is {_shown(value)}, {_expected(kind)} is expected"
        bare = [_bare(each, kind) for each in several]
        if None not in bare:
            shown = _shown(bare if isinstance(value, list) else bare[0])
            raise ConfigError(what, f"Write it without quotes: {key} = {shown}", str(path))
        raise ConfigError(what, f"{meant}{_EXAMPLE}", str(path))
    joined = [_placed(path, key, each, kind) if isinstance(each, str) else each for each in taken]
    return joined if kind.is_multiple else joined[0]


def _numbers(value: object) -> list[object]:
    """Return the whole numbers of a list with commas; anything else as it is."""
    words = listed(value) if isinstance(value, str) else ()
    are_numbers = words and all(re.fullmatch(r"[+-]?\d{1,4000}", each, re.ASCII) for each in words)
    return list(map(int, words)) if are_numbers else [value]


def _taken(value: object, kind: OptionKind) -> object:
    """Return one value in the option's type; None where the option does not take it."""
    if kind.is_flag or isinstance(value, bool):
        return value if kind.is_flag and isinstance(value, bool) else None
    if kind.choices:
        known = {plain(each): each for each in kind.choices}
        return known.get(plain(value)) if isinstance(value, str) else None
    if kind.type == "integer":
        return value if isinstance(value, int) else None
    if kind.type == "number":
        return value if isinstance(value, (int, float)) and is_finite(value) else None
    if kind.is_multiple and isinstance(value, (int, float)):
        return str(value)
    return value if isinstance(value, str) else None


def _bare(value: object, kind: OptionKind) -> object:
    """Return a value, or what a text says without its quotes, where the option takes it; else None."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = tomllib.loads(f"value = {value}")["value"]
    return _taken(value, kind)


def _expected(kind: OptionKind) -> str:
    if kind.is_flag:
        return "true or false"
    one = f"one of {', '.join(kind.choices)}" if kind.choices else f"a {kind.type}".replace("a i", "an i")
    return f"{one}, or a list of such," if kind.is_multiple else one


def _placed(path: Path, key: str, value: str, kind: OptionKind) -> str:
    """Join the name of a file to the folder of the configuration, below which outputs lie; ``~`` is home.

    Raises
    ------
    ConfigError
        It does not, or a link leads elsewhere.
    """
    value = os.path.expanduser(value) if kind.is_path else value  # noqa: PTH111 - without a home it stays
    if not kind.is_output:
        return _beside(path, value) if kind.is_path else value
    try:
        place = Path(os.path.realpath(path.parent / value))
        is_inside = place.is_relative_to(os.path.realpath(path.parent))
    except (OSError, ValueError):
        is_inside = False
    if not is_inside:
        raise ConfigError(
            f"{key} is {_shown(value)}, which is outside the folder of the file that names it",
            f'A file names outputs in its own folder, or below: {key} = "scores.csv". Elsewhere the command '
            f"line puts them: --{_hyphened(key)} FILE.",
            str(path),
        )
    return str(path.parent / value)


def _beside(path: Path, value: str) -> str:
    """Join a file's name to the folder of the configuration; a bare word that is no file there stays."""
    joined = path.parent / value
    is_name = not Path(value).suffix and len(Path(value).parts) == 1
    return value if is_name and not joined.is_file() else str(joined)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
