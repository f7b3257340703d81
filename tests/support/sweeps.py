"""What is swept for tracebacks: command lines, and every kind of file that a person or a stranger writes.

An attempt is a number of a subject: the same files and the same words, whatever came before it.
"""

from __future__ import annotations

import io
import json
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import click
import command_lines
import desk
import strange

from dicecli.cli import cli

#: What one attempt may take of the processor: of a second, less than a tenth is usual.
_SLOW_S = 5.0
_CODES = {0, 1, 2, 3}
_SHOWN = ("table", "csv", "json", "markdown", "html", "junit", "nnunet")


@dataclass(frozen=True)
class Attempt:
    """Files that are written into the folder, and the words of the lines that are called then."""

    files: dict[str, bytes]
    lines: tuple[tuple[str, ...], ...]


def _lines(chance: Random, _: Path) -> Attempt:
    return Attempt({}, (tuple(command_lines.line(chance)),))


def _results(chance: Random, folder: Path) -> Attempt:
    name = chance.choice(desk.RECORDS)
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    file = strange.as_bytes(strange.disturbed_json(content, chance, _shallow(content, chance)), chance)
    numbers = ("dice", "dice[1]@label-mean", "iou@micro", "soft_dice_standard", "hd95[both]")
    calls = [
        ("report", "x.json", "-f", chance.choice(_SHOWN), "-v"),
        ("explain", "x.json", *chance.sample(numbers, chance.randrange(3))),
        ("report", name, "--baseline", "x.json", "--max-drop", "0.1"),
        ("report", "x.json", name),
        ("report", "x.json", "--confusion", "o.csv", "--summary", "o.md", "--fail-under", "dice=0.5"),
        ("area", "x.json", "--areas", "areas.csv"),
        ("report", "x.json", "--average", "micro", "--only", "1", "-o", "o.xml", "-m", "all"),
        ("report", "x.json", "--curve", "o.csv"),
        ("batch", "p", "r", "-j", "1", "--baseline", "x.json"),
    ]
    return Attempt({"x.json": file}, (calls[0], *chance.sample(calls[1:], 1)))


def _shallow(content: Any, chance: Random) -> list[tuple]:
    """Return places of a record, those far down no more often than those above: there are thousands."""
    paths = strange.places(content)
    depth = chance.randrange(1, max(map(len, paths)) + 1)
    head = chance.choice([*{path[:2] for path in paths}])
    return [path for path in paths if len(path) <= depth and path[: len(head)] == head] or paths


#: A file of labels of each form.
LEGENDS = (
    desk.LEGEND
    | {"ignore": 255, "background": 0, "colours": {"1": [221, 130, 101], "2": "#90ee90"}, "description": "x"}
    | {"map": {"prediction": {"5": 1, "6": 1}, "reference": {"10-19": "-9", "*": "ignore"}}},
    {"labels": {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3}, "regions_class_order": [1, 2]},
    {"background": 0, "liver": 1, "tumour": 2},
    {"0": "background", "1": "liver", "2": "tumour"},
    {"id2label": {"0": "wall", "1": "building"}, "label2id": {"wall": 0, "building": 1}},
    "index\tname\tabbreviation\tcolor\n0\tBackground\tBG\tn/a\n1\tGray\tGM\t#ff53bb\n2\tWhite\tWM\t#2f8bbe\n",
    "#No. Label Name:       R   G   B   A\n0   Unknown       0   0   0   0\n1   Left-Cortex   205 62  78  0\n",
    '# ITK-SnAP Label Description File\n    0     0    0    0        0  0  0    "Clear Label"\n'
    '    1   255   0    0        1  1  1    "CA1"\n    2   0   255    0        1  1  1    "CA2"\n',
    "# Color table file a.ctbl\n# 3 values\n0 Background 0 0 0 0\n1 artery 216 101 79 255\n2 bone 111 184 210 255\n",
    "# label:color_rgb:parts:actions\nbackground:0,0,0::\nperson:221,130,101:hand:jumping\nsea:144,238,144::\n",
    "name,r,g,b\nbackground,0,0,0\nroad,221,130,101\ncar,144,238,144\n",
)


def _labels(chance: Random, _: Path) -> Attempt:
    form = chance.choice(LEGENDS)
    text = (
        strange.disturbed_text(form, chance)
        if isinstance(form, str)
        else strange.disturbed_json(form, chance)
    )
    name = chance.choice(("x.json", "x.txt", "x"))
    calls = [
        ("score", "a.png", "b.png", "--labels", name, "-f", chance.choice(_SHOWN[:3])),
        ("score", "colour.png", "a.png", "--labels", name),
        ("soft", "map.npy", "a.png", "--labels", name, "--channels", "0,1,2"),
        ("inspect", "palette.png", "--labels", name),
        ("batch", "p", "r", "-j", "1", "--labels", name, "--only", "1"),
        ("area", "matrix.csv", "--areas", "a.tif", "--labels", name),
        ("labels", name, "-f", "json"),
    ]
    file = strange.as_bytes(text, chance)
    return Attempt({name: file}, (("labels", name), *chance.sample(calls, 1)))


def _pairs(chance: Random, _: Path) -> Attempt:
    file = strange.as_bytes(strange.disturbed_text(desk.PAIRS, chance), chance)
    more = chance.choice(((), ("--group-by", "site"), ("--dry-run",), ("-o", "o.csv"), ("-f", "junit")))
    return Attempt({"x.csv": file}, (("batch", "--pairs", "x.csv", "-j", "1", *more),))


def _points(chance: Random, _: Path) -> Attempt:
    file = strange.as_bytes(strange.disturbed_text(desk.POINTS, chance), chance)
    more = chance.choice(
        ((), ("--missing", "skip"), ("--missing", "zero"), ("--crs", "EPSG:4326"), ("-f", "csv"))
    )
    return Attempt({"x.csv": file}, (("points", chance.choice(("a.tif", "a.png")), "x.csv", *more),))


def _geojson(chance: Random, _: Path) -> Attempt:
    crs = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326"}}}
    text = strange.disturbed_json(desk.GEOJSON | (crs if chance.random() < 0.3 else {}), chance)
    file = strange.as_bytes(text, chance)
    more = chance.choice(((), ("--missing", "skip"), ("--class", "class"), ("--labels", "labels.json")))
    return Attempt({"x.geojson": file}, (("points", "a.tif", "x.geojson", *more),))


def _areas(chance: Random, _: Path) -> Attempt:
    text = chance.choice((desk.AREAS, desk.AREAS.replace("pixels", "area_ha")))
    file = strange.as_bytes(strange.disturbed_text(text, chance), chance)
    more = chance.choice(((), ("--pixel-size", "30m"), ("--unit", "km2"), ("-f", "json"), ("-f", "html")))
    return Attempt({"x.csv": file}, (("area", "matrix.csv", "--areas", "x.csv", *more),))


def _matrices(chance: Random, folder: Path) -> Attempt:
    if chance.random() < 0.5:
        text = strange.disturbed_text(desk.MATRIX, chance)
        name = "x.csv"
    else:
        content = json.loads((folder / "confusion.json").read_text(encoding="utf-8"))
        text, name = strange.disturbed_json(content, chance), "x.json"
    more = chance.choice(((), ("--labels", "labels.json"), ("-f", "json"), ("-f", "csv"), ("-v",)))
    return Attempt({name: strange.as_bytes(text, chance)}, (("area", name, "--areas", "areas.csv", *more),))


def _configurations(chance: Random, _: Path) -> Attempt:
    text = _configuration(chance)
    text = strange.disturbed_text(text, chance) if chance.random() < 0.4 else text
    calls = [
        ("batch", "p", "r"),
        ("score", "a.png", "b.png"),
        ("config", "batch"),
        ("config", "score", "-f", "json"),
        ("soft", "map.npy", "a.png"),
        ("inspect", "a.png"),
    ]
    name = chance.choice(("dicecli.toml", "dicecli.toml", "pyproject.toml"))
    text = text if name == "dicecli.toml" else f"[tool.dicecli]\n{text}"
    return Attempt({name: strange.as_bytes(text, chance)}, tuple(chance.sample(calls, 1)))


def _configuration(chance: Random) -> str:
    """Return a file of options of any command, with values that make sense, and others."""
    lines = desk.CONFIGURATION.splitlines(keepends=True) if chance.random() < 0.3 else []
    for _ in range(chance.choice((1, 1, 2, 4))):
        command = chance.choice(("score", "batch", "soft", "points", "report", "area", "inspect"))
        option = chance.choice(command_lines.parameters(command)[1])
        word = command_lines.likely(option, chance)
        others = (
            f"[{json.dumps(word)}]",
            word,
            "true",
            "1979-05-27",
            "{}",
            "[]",
            "-1",
            "nan",
            '""',
            "1e400",
            "9" * 400,
        )
        value = json.dumps(word) if chance.random() < 0.6 else chance.choice(others)
        key = max(option.opts, key=len).lstrip("-")
        lines.append(f"{key} = {('true' if option.is_flag else value) if key != 'jobs' else 1}\n")
    return "".join(lines)


SUBJECTS = {
    "lines": _lines,
    "results": _results,
    "labels": _labels,
    "pairs": _pairs,
    "points": _points,
    "geojson": _geojson,
    "areas": _areas,
    "matrices": _matrices,
    "configurations": _configurations,
}


def attempt(subject: str, number: int, folder: Path) -> Attempt:
    """Return the attempt of a number."""
    return SUBJECTS[subject](Random(f"{subject} {number}"), folder)  # noqa: S311 - it is to come again


def judged(tried: Attempt) -> tuple[list[str], list[str]]:
    """Write the files of an attempt into the current folder and call its lines.

    Returns
    -------
    answers : list of str
        The exit code of each line.
    faults : list of str
        What is not as promised: a traceback, a warning, an exit code that the documents lack, an error
        without its hint, output that is not of its form, or more than `_SLOW_S` of the processor.
    """
    for name, content in tried.files.items():
        Path(name).write_bytes(content)
    answers, faults = [], []
    for words in tried.lines:
        code, said = _called(words)
        answers.append(code)
        faults += [f"{' '.join(map(repr, words))[:300]}: {each}" for each in said]
    return answers, faults


def _called(words: tuple[str, ...]) -> tuple[str, list[str]]:
    faults, started = [], time.process_time()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        code, stdout, stderr, error = _run(words)
    took = time.process_time() - started
    if took > _SLOW_S:
        faults.append(f"took {took:.1f} s")
    faults += [f"{each.category.__name__}: {each.message}" for each in warned]
    if error is not None:
        faults.append(_traced(error))
    elif code not in _CODES:
        faults.append(f"exit code {code}")
    if "Traceback" in stdout + stderr or "InternalError" in stdout + stderr:
        faults.append(f"a traceback, or an internal error: {(stdout + stderr)[-600:]}")
    if code == 2 and "Hint:" not in stderr and words:
        faults.append(f"no hint: {stderr[-300:]}")
    return str(code), faults + _form_faults(words, code, stdout)


def _run(words: tuple[str, ...]) -> tuple[object, str, str, BaseException | None]:
    """Run the command line as the program does, with streams like its own; return what is no end of it, too."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in range(2)]
    code: object = None
    error = None
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        try:
            code = cli.main(list(words), "dicecli", standalone_mode=False) or 0
        except click.ClickException as failure:
            failure.show()
            code = failure.exit_code
        except SystemExit as end:
            code = end.code
        except BaseException as other:  # noqa: BLE001 - it is what is looked for
            error = other
    for each in streams:
        each.flush()
    stdout, stderr = (each.buffer.getvalue().decode() for each in streams)
    return code, stdout, stderr, error


def _form_faults(words: tuple[str, ...], code: object, stdout: str) -> list[str]:
    """Return what is wrong with JSON that was printed."""
    if words[-2:] != ("-f", "json") or code not in {0, 1, 3} or not stdout:
        return []
    try:
        json.loads(stdout, parse_constant=lambda word: (_ for _ in ()).throw(ValueError(word)))
    except ValueError as error:
        return [f"no JSON: {error}"]
    return []


def _traced(error: BaseException) -> str:
    """Return the error with where it was raised, in a line."""
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-3:]
    where = " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in reversed(last))
    return f"{type(error).__name__}: {str(error)[:200]} ({where})"
