"""docs/engineering/architecture.md is the package as it is: what it names exists, and what exists is named."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import places
import pytest
from readme_blocks import blocks

import dicecli
from dicecli.plugins import FOLDERS

PACKAGE = places.ROOT / "dicecli"
PAGE = (places.ROOT / "docs" / "engineering" / "architecture.md").read_text(encoding="utf-8")
#: Words in code type; blocks of lines are looked at apart.
SPANS = sorted(
    set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)))
)
PATHS = [
    each for each in SPANS if re.fullmatch(r"[\w./-]*(/|\.(py|c|h|md|toml))", each) and each != "dicecli."
]
#: A module, or what is defined in one, from the package downwards; a call shows its arguments.
DOTTED = [each for each in SPANS if re.fullmatch(r"[a-z_]\w*(\.\w+)+(\(.*\))?", each) and each not in PATHS]
CLASSES = [each for each in SPANS if re.fullmatch(r"[A-Z]\w*[a-z]\w*", each)]
#: Functions that the text has placed before, or that every plugin of a kind has.
FUNCTIONS = [each for each in SPANS if re.fullmatch(r"[a-z]+(_[a-z]+)+", each)]
SOURCES = [each.read_text(encoding="utf-8") for each in PACKAGE.rglob("*.py")]


def drawn():
    """Return the folders and modules that the tree of the page shows, as paths without a suffix."""
    (tree,) = (block for block in blocks(PAGE, "text") if block.startswith("dicecli/"))
    found, folders = [], []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        for name in re.split(r" {2,}", line.strip())[0].split():
            folders[depth:] = [name.rstrip("/")] if name.endswith("/") else []
            found.append(Path(*folders[:depth], name.rstrip("/")))
    return found


def is_named_by(path):
    """Tell whether a path of the tree is a folder or a module of the package."""
    place = places.ROOT / path
    return place.is_dir() or place.with_name(f"{place.name}.py").is_file()


def names_in(code):
    """Return what stands in the body of a module or class, each name with its own syntax tree, where it has one."""
    found = {}
    for node in code.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            found |= dict.fromkeys(each.asname or each.name for each in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= dict.fromkeys(each.id for each in targets if isinstance(each, ast.Name))
    return found


def exists(dotted):
    """Tell whether a module, or a name in it, is in the package; nothing is imported, so that torch is not needed."""
    place, parts = PACKAGE, dotted.split(".")
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if not parts:
        return True
    module = place / f"{parts[0]}.py"
    if module.is_file():
        parts.pop(0)
    else:
        module = place / "__init__.py"
    code = ast.parse(module.read_text(encoding="utf-8"))
    for part in parts:
        names = {} if code is None else names_in(code)
        if part not in names:
            return False
        code = names[part]
    return True


def contracts():
    """Return every contract that the linter of imports holds."""
    found = []
    for file in ("pyproject.toml", ".ci/circles.toml"):
        content = tomllib.loads((places.ROOT / file).read_text(encoding="utf-8"))
        found += content["tool"]["importlinter"]["contracts"]
    return found


def test_what_the_tree_shows_is_there():
    """Every folder and module of the tree is in the package, at that place, and is shown once."""
    found = drawn()
    assert [] == [each for each in found if not is_named_by(each)]
    assert len(set(found)) == len(found)


def test_what_is_there_is_shown():
    """Every folder of the package, and every module that is no neighbour's own, is in the tree.

    A plugin may be left out: its folder's listing shows it.
    """
    plugins = {PACKAGE.joinpath(*folder.split(".")) for folder in FOLDERS.values()}
    modules = [each for each in PACKAGE.rglob("*.py") if not each.name.startswith("_")]
    folders = [each for each in PACKAGE.rglob("*") if each.is_dir() and each.name != "__pycache__"]
    expected = {
        each.with_suffix("").relative_to(places.ROOT)
        for each in (*modules, *folders)
        if not plugins & {*each.parents}
    }
    assert set() == expected - set(drawn())


@pytest.mark.parametrize("path", PATHS)
def test_a_path_leads_somewhere(path):
    """A file or folder in code type is there, from the root of the project."""
    assert (places.ROOT / path).exists()


@pytest.mark.parametrize("name", DOTTED)
def test_a_name_is_defined_where_the_page_says(name):
    """A dotted name is a module, function, class or method of the package; after ``dicecli.``, one of Python's."""
    dotted = name.partition("(")[0]
    if dotted.startswith("dicecli."):
        assert dotted.removeprefix("dicecli.") in dicecli.__all__
    else:
        assert exists(dotted)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_or_a_row_is_one(name):
    """What begins with a capital is a class of the package, or the word by which a report names an error."""
    assert any(re.search(rf'\bclass {name}\b|"{name}"', text) for text in SOURCES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_one(name):
    """What has an underscore and no place is a function of the package."""
    assert any(re.search(rf"\bdef {name}\b", text) for text in SOURCES)


def test_the_page_names_enough_to_be_looked_at():
    """Paths, names and classes are found on the page: a change of its form does not silence these tests."""
    assert min(len(PATHS), len(CLASSES)) > 5
    assert len(FUNCTIONS) > 2
    assert len(DOTTED) > 50


def test_the_layers_are_those_that_the_linter_holds():
    """The line of the layers is the first contract's."""
    layers = next(each["layers"] for each in contracts() if each.get("containers") == ["dicecli"])
    assert " > ".join(f"`{each}`" for each in layers) in PAGE.splitlines()


@pytest.mark.parametrize("name", [each["name"] for each in contracts()])
def test_a_contract_is_explained(name):
    """Every contract that the linter of imports holds stands on the page by its name."""
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]
    assert any(name == cell.strip() or name in cell.strip().split(", ") for cell in cells)


def test_plugins_live_where_the_page_says():
    """The table of plugins has each kind with its folder, and no other."""
    found = dict(re.findall(r"^\| `(\w+)` \| `dicecli/([\w/]+)/` \|", PAGE, flags=re.MULTILINE))
    assert {kind: folder.replace(".", "/") for kind, folder in FOLDERS.items()} == found
