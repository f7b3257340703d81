"""Modules in C build from the sources that are handed out; where one cannot be built, nothing says so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import places
import pytest

SETTINGS = tomllib.loads((places.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
EXTENSIONS = {each["name"]: each for each in SETTINGS["ext-modules"]}


def included(path):
    """Return the names of the project's own headers that a file in C includes."""
    return re.findall(r'^#include "(.+)"$', path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_source_is_built():
    """Each file in C of the package is the source of one module, which lies beside it."""
    found = {each.relative_to(places.ROOT) for each in (places.ROOT / "dicecli").rglob("*.c")}
    built = {name: [Path(each) for each in extension["sources"]] for name, extension in EXTENSIONS.items()}
    assert found == {Path(*name.split(".")).with_suffix(".c") for name in built}
    assert all(sources == [Path(*name.split(".")).with_suffix(".c")] for name, sources in built.items())


@pytest.mark.parametrize("name", EXTENSIONS)
def test_every_header_is_handed_out(name):
    """What a source includes is found by the compiler, and listed, which is what puts it into the sdist."""
    extension = EXTENSIONS[name]
    (source,) = extension["sources"]
    headers = included(places.ROOT / source)
    assert headers
    found = [
        f"{folder}/{header}"
        for header in headers
        for folder in extension["include-dirs"]
        if (places.ROOT / folder / header).is_file()
    ]
    assert extension["depends"] == found
