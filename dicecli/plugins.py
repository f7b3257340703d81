"""The folders of plugins: what is in them, what installed packages add, and how one is loaded.

A plugin is a public module or package of its folder, named with the user's word. An installed package adds
one by an entry point of that name in the group ``dicecli.<kind>``. Listing the folders costs no import;
installed packages are asked only where a name or a suffix is none of the folder's, since asking takes a good
part of the time in which two small masks are scored.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.errors import BrokenPlugin, UnknownName
from dicecli.words import did_you_mean, every

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import EntryPoint
    from types import ModuleType

#: Where each kind of plugin lives.
FOLDERS = {
    "formats": "masks.formats",
    "metrics": "metrics",
    "statistics": "statistics",
    "backends": "statistics.backends",
    "executors": "runs.executors",
    "exporters": "reports.exporters",
    "legends": "records.legends",
    "layouts": "runs.layouts",
}
#: What a plugin of an installed package must have.
NEEDS = {
    "formats": ("SUFFIXES",),
    "metrics": (),
    "statistics": ("READS", "MEASURES", "OPTIONS", "halo", "begin", "done"),
    "backends": ("count_block", "describe"),
    "executors": ("run",),
    "exporters": ("SUFFIXES", "PARTS", "render"),
    "legends": ("CALLED", "is_of", "read"),
    "layouts": ("LAYOUT",),
}


@cache
def own(kind: str) -> tuple[str, ...]:
    """List the plugins of a folder, in alphabetical order, without importing anything of it."""
    here = Path(__file__).parent.joinpath(*FOLDERS[kind].split("."))
    packages = (path.parent.name for path in here.glob("*/__init__.py"))
    found = (*(path.stem for path in here.glob("*.py")), *packages)
    others = {folder.removeprefix(f"{FOLDERS[kind]}.") for folder in FOLDERS.values()}
    return tuple(sorted(name for name in found if not name.startswith("_") and name not in others))


@cache
def installed(kind: str) -> tuple[str, ...]:
    """List the plugins that installed packages add, in alphabetical order, without names of the folder."""
    return tuple(sorted(_entries(kind)))


@cache
def _entries(kind: str) -> dict[str, EntryPoint]:
    """Return the entry points of a kind by their names; of two of one name the one of the first package.

    What lies in the current folder is not installed, though Python finds it there as long as ``sys.path``
    begins with an empty text.
    """
    from importlib.metadata import entry_points

    try:
        every = entry_points(group=f"dicecli.{kind}")
        found = [(_package(each), each) for each in every if _is_installed(each)]
    except Exception:  # noqa: BLE001 - what a stranger's package says of itself may be damaged in any way
        return {}
    found.sort(key=lambda pair: pair[0], reverse=True)
    return {each.name: each for _, each in found if _is_word(each.name) and each.name not in own(kind)}


def _is_installed(entry: EntryPoint) -> bool:
    """Whether an entry point is of a package that lies in a place of its own, wherever Python runs."""
    return entry.dist is None or Path(str(entry.dist.locate_file(""))).is_absolute()


def _is_word(name: str) -> bool:
    """Whether a plugin may have this name: letters, digits, and within it points, hyphens, underscores."""
    rest = name.translate({ord(each): None for each in ".-_"})
    return name.isascii() and name[:1].isalnum() and rest.isalnum()


def _package(entry: EntryPoint) -> str:
    """Return the name of the package that an entry point belongs to; where that is unknown, its module."""
    return (entry.dist.name if entry.dist else None) or entry.value


def package_of(kind: str, name: str) -> str | None:
    """Return the package that brings a plugin, with its version; None for one of the folder."""
    if name in own(kind) or name not in installed(kind):
        return None
    entry = _entries(kind)[name]
    return f"{_package(entry)} {entry.dist.version if entry.dist else ''}"


def names(kind: str) -> tuple[str, ...]:
    """List every plugin of a kind: those of the folder, then those of installed packages."""
    return (*own(kind), *installed(kind))


def load(kind: str, name: str) -> ModuleType:
    """Import the plugin `name` of a kind; installed packages are asked where the folder has no such name.

    Raises
    ------
    UnknownName
        Neither the folder nor an installed package has it. The message lists the known names.
    BrokenPlugin
        An installed package names a module that cannot be imported.
    """
    is_name = isinstance(name, str)
    if is_name and name in own(kind):
        return import_module(f"dicecli.{FOLDERS[kind]}.{name}")
    if not is_name or name not in installed(kind):
        raise unknown(kind.removesuffix("s"), name, names(kind))
    return _of_package(kind, name)


@cache
def _of_package(kind: str, name: str) -> ModuleType:
    entry = _entries(kind)[name]
    try:
        plugin: ModuleType = entry.load()
    except (Exception, SystemExit) as error:  # whatever another package's module raises as it is loaded
        raise broken(kind, name, f"cannot be loaded: {type(error).__name__}: {error}") from error
    lacking = [word for word in NEEDS[kind] if not hasattr(plugin, word)]
    if lacking:
        raise broken(kind, name, f"cannot be loaded: it has no {' and no '.join(lacking)}")
    if "SUFFIXES" in NEEDS[kind] and not _are_suffixes(plugin.SUFFIXES):
        what = "its SUFFIXES are no tuple of suffixes in lower case, each with its dot"
        raise broken(kind, name, f"cannot be loaded: {what}")
    return plugin


def _are_suffixes(given: object) -> bool:
    return isinstance(given, (tuple, list)) and all(
        isinstance(each, str) and each.startswith(".") and each == each.lower() for each in given
    )


def broken(kind: str, name: str, what: str) -> BrokenPlugin:
    """Make the error of an installed plugin: its package, what is wrong with it, and how to be rid of it."""
    package = _package(_entries(kind)[name])
    return BrokenPlugin(
        f"the {kind.removesuffix('s')} '{name}' of the installed package {package} {what}",
        f"Repair that package, or uninstall it: pip uninstall {package}.",
    )


def blame(kind: str, name: str, error: Exception) -> None:
    """Raise BrokenPlugin for an error of a plugin of an installed package; one of the folder is ours."""
    if name not in own(kind) and name in installed(kind):
        raise broken(kind, name, f"has failed: {type(error).__name__}: {error}") from error


def by_suffix(kind: str, suffix: str, function: str | None = None) -> ModuleType | None:
    """Find the plugin that a suffix belongs to, and that can do something; the folder's own win.

    Parameters
    ----------
    kind : {"formats", "exporters"}
    suffix : str
        In lower case, with its dot.
    function : str, optional
        A plugin without a function of this name, or without a part of it, is passed over.

    Raises
    ------
    BrokenPlugin
        None has it, and one of an installed package, which may, cannot be loaded.
    """
    broken: list[BrokenPlugin] = []
    for plugin in _loaded(kind, _in_turn(kind, suffix), broken):
        if suffix in plugin.SUFFIXES and (function is None or can(plugin, function)):
            return plugin
    if broken:
        raise broken[0]
    return None


def can(plugin: ModuleType, what: str) -> bool:
    """Whether a plugin has a function, or an exporter a part of a report."""
    return what in getattr(plugin, "PARTS", ()) or hasattr(plugin, what)


def _in_turn(kind: str, suffix: str) -> Iterator[str]:
    """Yield names, the likeliest first: a suffix is most often its format's name. Packages are asked last."""
    yield from sorted(own(kind), key=lambda name: f".{name}" != suffix)
    yield from installed(kind)


def _loaded(kind: str, names: Iterable[str], broken: list[BrokenPlugin]) -> Iterator[ModuleType]:
    for name in names:
        try:
            yield load(kind, name)
        except BrokenPlugin as error:
            broken.append(error)


def suffixes(kind: str, function: str, *, of_folder: bool = False) -> tuple[str, ...]:
    """List the suffixes of the plugins that have a function; `of_folder` leaves installed packages out.

    An installed plugin that cannot be loaded has none.
    """
    every = _loaded(kind, own(kind) if of_folder else names(kind), [])
    found = {suffix for plugin in every if can(plugin, function) for suffix in plugin.SUFFIXES}
    return tuple(sorted(found))


def having(kind: str, function: str) -> tuple[str, ...]:
    """List the plugins that have a function; an installed one that cannot be loaded is left out."""
    return tuple(name for name in names(kind) for each in _loaded(kind, (name,), []) if can(each, function))


def with_others(kind: str, function: str, hint: str) -> str:
    """Return the part of a hint that names suffixes, with those of plugins of which it names none."""
    every = (plugin.SUFFIXES for plugin in _loaded(kind, names(kind), []) if can(plugin, function))
    more = [suffix for each in every if not any(one in hint for one in each) for suffix in each]
    return f"{hint}; here also {', '.join(more)}" if more else hint


def unknown(
    kind: str, name: str, known: tuple[str, ...], aliases: tuple[str, ...] = (), how: str = ""
) -> UnknownName:
    """Make the error for a name that does not exist: the nearest names, and the known ones.

    Where these are many it says `how` to see them; see :func:`dicecli.words.every`.
    """
    meant = did_you_mean(str(name), (*known, *aliases))
    return UnknownName(f"there is no {kind} '{name}'", f"{meant}Known: {every(known, how)}.")
