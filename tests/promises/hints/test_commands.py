"""Hints of the command line itself, and of plugins, followed to the letter."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from following import DICE, PREDICTION, REFERENCE, Table

import dicecli
from dicecli import plugins

TABLE = Table(
    "commands",
    unfollowed={
        "cli.helping.format_epilog": "what --help ends with, and --help-all: tests/cli/test_options.py",
        "cli.streams.refused: Send it where space is": "the shell does it: tests/promises/test_process_and_disk.py",
    },
)
_SCORE = "score p.png r.png"
_BATCH = "batch p r"


@TABLE("cli.labels._shown: Label …, …, is evaluated like")
def a_label_whose_name_leaves_nothing_out(scene):
    scene.pair(PREDICTION, np.where(PREDICTION > REFERENCE, 2, REFERENCE))
    scene.text("l.json", {"0": "background", "1": "liver", "2": "void"})
    option = re.search("--ignore-label 2", scene.noted("labels l.json"))[0]
    scene.right(1.0, f"score p.png r.png --labels l.json {option}", number="dice[liver]")


@TABLE("cli.searching.find: Keep one of them.")
def two_configurations(scene):
    scene.pair()
    scene.text("dicecli.toml", 'average = "micro"\n')
    scene.text("pyproject.toml", '[tool.dicecli]\naverage = "micro"\n')
    scene.refused(_SCORE)
    (scene.folder / "pyproject.toml").unlink()
    scene.right(DICE, _SCORE)


@TABLE(
    "cli.configuration.load: An option has a line",
    "cli.configuration._table: An option has a line",
    "cli.configuration._content: An option has a line",
    "cli.configuration._toml: An option has a line",
    "cli.configuration._checked: An option has a line",
)
def a_configuration_that_is_none(scene):
    scene.pair()
    name, content = {
        "load": ("dicecli.toml", "max-pixels = 9\nmax_pixels = 9\n"),
        "_table": ("pyproject.toml", "[tool]\ndicecli = 1\n"),
        "_content": ("dicecli.toml", "#" * (1 << 20) + "\n"),
        "_toml": ("dicecli.toml", "fail-under = dice\n"),
        "_checked": ("dicecli.toml", "include-background = 1\n"),
    }[scene.place.function]
    scene.text(name, content)
    examples = scene.refused(_SCORE).partition(": ")[2].rstrip(".").split(", or ")
    head = "[tool.dicecli]\n" if name.startswith("py") else ""
    for example in examples:
        scene.text(name, f"{head}{example}\n")
        scene.right(DICE, _SCORE)


@TABLE("cli.configuration._content: Make it readable.")
def a_configuration_that_cannot_be_read(scene):
    scene.pair()
    scene.text("dicecli.toml", 'average = "micro"\n')
    with pytest.MonkeyPatch.context() as patch:

        def refuse(path, *given, **named):
            if path.name == "dicecli.toml":
                raise PermissionError(errno.EACCES, "Permission denied")
            return opened(path, *given, **named)

        opened = Path.open
        patch.setattr("pathlib.Path.open", refuse)
        scene.refused(_SCORE)
    scene.right(DICE, _SCORE)


@TABLE(
    "cli.searching.search: Did you mean …? Name one:",
    "cli.searching.search: Name one: --config FILE.",
)
def a_configuration_that_is_not_there(scene):
    scene.pair()
    scene.text("own.toml", 'average = "micro"\n')
    is_near = "mean" in scene.place.name
    hint = scene.refused(f"{_SCORE} --config {'owm' if is_near else 'xyzzy'}.toml")
    name = scene.meant() if is_near else "own.toml"
    scene.right(DICE, f"{_SCORE} {re.search('--config', hint)[0]} {name}")


@TABLE("cli.obeying._check_one: Leave one of them out.")
def a_configuration_and_none(scene):
    scene.pair()
    scene.text("own.toml", 'average = "micro"\n')
    scene.refused(f"{_SCORE} --no-config --config own.toml")
    scene.refused(f"{_SCORE} --config own.toml --no-config")
    scene.right(DICE, f"{_SCORE} --no-config")
    scene.right(DICE, f"{_SCORE} --config own.toml")


@TABLE("cli.obeying._say_not_obeyed: … is not obeyed: …; …--config")
def a_configuration_of_another_user(scene):
    scene.pair()
    scene.text("dicecli.toml", 'metric = "iou"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicecli.cli.searching.os.geteuid", lambda: -1)
        words = re.search(r"--config \S+", scene.noted(_SCORE))[0]
        found = scene.right(2 / 3, f"{_SCORE} {words}", number="iou")
    assert [each.name for each in found.shown] == ["iou"]


@TABLE("cli.configuration._table: Write its options")
def a_pyproject_without_the_table(scene):
    scene.pair()
    scene.text("pyproject.toml", "[project]\n")
    scene.refused(f"{_SCORE} --config pyproject.toml")
    scene.text("pyproject.toml", '[project]\n[tool.dicecli]\naverage = "micro"\n')
    scene.right(DICE, f"{_SCORE} --config pyproject.toml")


@TABLE("cli.configuration._alone: Take it out")
def an_option_of_the_command_line_alone(scene):
    scene.folders()
    scene.text("dicecli.toml", "follow_links = true\n")
    option = scene.refused(_BATCH).rstrip(".").split()[-1]
    (scene.folder / "dicecli.toml").write_text("", encoding="utf-8")
    scene.right(DICE, f"{_BATCH} {option}")


@TABLE("cli.configuration._placed: A file names outputs")
def an_output_outside_the_folder_of_its_file(scene):
    scene.pair()
    scene.text("own/dicecli.toml", 'output = "../scores.csv"\n')
    scene.refused(f"{_SCORE} --config own/dicecli.toml")
    example = re.search('output = "[^"]+"', scene.hint)[0]
    scene.text("own/dicecli.toml", f"{example}\n")
    scene.right(DICE, f"{_SCORE} --config own/dicecli.toml")
    assert (scene.folder / "own" / "scores.csv").is_file()
    scene.right(DICE, f"{_SCORE} {re.search('--output', scene.hint)[0]} scores.csv --no-config")
    assert (scene.folder / "scores.csv").is_file()


@TABLE("cli.configuration._unknown: Did you mean")
def a_key_with_a_slip(scene):
    scene.pair()
    scene.text("dicecli.toml", 'averag = "micro"\n')
    word = scene.refused(_SCORE).removeprefix("Did you mean ").partition("?")[0]
    assert f"--{word}" in scene.works(scene.hint.split("'")[1].removeprefix("dicecli "))
    scene.text("dicecli.toml", f'{word} = "micro"\n')
    scene.right(DICE, _SCORE)


@TABLE("cli.configuration._unknown: Known:")
def a_key_of_nobody(scene):
    scene.pair()
    scene.text("dicecli.toml", "xyzzy = 1\n")
    command = scene.refused(_SCORE).split("'")[1].removeprefix("dicecli ")
    assert "--average" in scene.works(command)
    scene.text("dicecli.toml", 'average = "micro"\n')
    scene.right(DICE, _SCORE)


@TABLE("cli.configuration._checked: Did you mean")
def a_value_with_a_slip(scene):
    scene.pair()
    scene.text("dicecli.toml", 'average = "mirco"\n')
    scene.refused(_SCORE)
    scene.text("dicecli.toml", f'average = "{scene.meant()}"\n')
    scene.right(DICE, _SCORE)


@TABLE("words.listed: Write quotes around a whole name,")
def a_quote_in_a_list(scene):
    for given in ('liver,"odd, name', '"odd, name"s'):
        scene.refused(dicecli.make_settings, soft=True, channels=given)
    labels = {"labels": {"1": "liver", "2": "odd, name"}}
    assert scene.hint.endswith('dice,"odd, name".')
    scene.works(dicecli.make_settings, soft=True, labels=labels, channels='liver,"odd, name"')


@TABLE("cli.kinds.leave_others: Leave it out, or add --soft.")
def an_option_of_maps_for_masks(scene):
    scene.folders()
    scene.refused(f"{_BATCH} --logits sigmoid")
    scene.right(DICE, _BATCH)
    maps = maps_in(scene, lambda p: p * 4.0 - 2)
    scene.right(DICE, f"{maps} --logits sigmoid --soft", number="dice_at_half[1]@macro")


@TABLE("cli.kinds.leave_others: Leave it out, or leave out")
def an_option_of_masks_for_maps(scene):
    maps = maps_in(scene, lambda p: p * 0.5 + 0.25)
    scene.refused(f"{maps} --soft --threshold 0.5")
    scene.right(DICE, f"{maps} --soft", number="dice_at_half[1]@macro")
    scene.right(DICE, f"{maps} --threshold 0.5")


def maps_in(scene, made):
    """Write a case whose prediction is a map, and return the command that has it."""
    for side, array in (("mp", made(PREDICTION[..., None].astype("f4"))), ("mr", REFERENCE[..., None])):
        (scene.folder / side).mkdir()
        scene.nii(f"{side}/a.nii.gz", array)
    return "batch mp mr"


@TABLE("cli.sides.sides_of: Give both by their order, without")
def three_sides(scene):
    scene.pair()
    scene.refused(f"{_SCORE} --reference r.png")
    scene.right(DICE, _SCORE)
    scene.right(DICE, "score --prediction p.png --reference r.png")


@TABLE("cli.sides.both_sides_of: Give both:")
def one_side(scene):
    scene.pair()
    hint = scene.refused("score p.png")
    assert "PREDICTION REFERENCE" in hint
    scene.right(DICE, _SCORE)
    scene.right(DICE, "score --prediction p.png --reference r.png")
    scene.right(DICE, "score --reference r.png --prediction p.png")


@TABLE("cli.options._regions: Name all of its labels at")
def a_region_twice(scene):
    scene.pair(PREDICTION * 2, REFERENCE * 2)
    scene.refused(f"{_SCORE} --region both=1 --region both=2")
    scene.right(DICE, f"{_SCORE} --region both=1,2", number="dice[both]")


@TABLE("cli.outputs.check_printable: Give one of")
def a_form_of_a_part(scene):
    scene.pair()
    part = SimpleNamespace(PARTS=("summary",), SUFFIXES=(".part",), render=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicecli.cli.outputs.load", lambda *_: part)
        hint = scene.refused(f"{_SCORE} -f json")
    for form in hint.removeprefix("Give one of ").rstrip(".").split(", "):
        scene.works(f"{_SCORE} -f {form}")


@TABLE("cli.slips.no_option: Did you mean")
def an_option_with_a_slip(scene):
    scene.pair()
    scene.refused(f"{_SCORE} --includ-background")
    assert "--metric NAME" in scene.works("score --help-all")
    scene.text("l.json", {"labels": {"0": "rest", "1": "liver"}})
    scene.right(DICE, f"{_SCORE} --labels l.json {scene.meant()}", number="dice[1]")


@TABLE("cli.slips.no_option: '… --help-all'")
def an_option_of_nobody(scene):
    hint = scene.refused("score --xyzzy 1")
    assert "--metric NAME" in scene.works(hint.split("'")[1].replace("cli ", ""))


@TABLE("cli.slips.no_option: If the file of that name")
def a_file_whose_name_begins_as_an_option(scene):
    scene.pair()
    scene.png("-1.png", PREDICTION)
    hint = scene.refused("score -1.png r.png")
    assert "--metric NAME" in scene.works("score --help-all")
    scene.right(DICE, f"score {hint.partition('write ')[2].partition('. ')[0]} r.png")


@TABLE("cli.main._of_click: …'… --help' shows what it takes.")
def a_value_that_an_option_does_not_take(scene):
    scene.pair()
    for command, given, near in (
        ("score", "--average makro", "macro"),
        ("score", "--ignore-label x", ""),
        ("", "--x", ""),
    ):
        hint = scene.refused(f"{command} {_SCORE.removeprefix('score ') if command else ''} {given}".strip())
        scene.works(hint.split("'")[1].removeprefix("cli "))
        assert hint.startswith(f"Did you mean {near}?") if near else hint.startswith("'cli ")
    scene.right(DICE, f"{_SCORE} --average macro")


@TABLE("cli.slips.no_option: Here it is")
def an_option_of_another_tool(scene):
    scene.pair(REFERENCE + 254 * PREDICTION, REFERENCE + 254 * PREDICTION)
    scene.refused(f"{_SCORE} --ignore-index 255")
    assert "--ignore-label N" in scene.works("score --help-all")
    scene.pair()
    scene.right(DICE, f"{_SCORE} {scene.hint.removeprefix('Here it is ').partition('. ')[0]}")


@TABLE("cli.slips.no_option: … has it.", "cli.slips.no_option: … have it.")
def an_option_of_another_command(scene):
    scene.pair()
    scene.folders()
    option = "--resume" if " has it" in scene.place.text else "--fail-under dice=0.5"
    hint = scene.refused(f"{_SCORE} {option}")
    first = hint.split("'")[1].removeprefix("cli ")
    assert first == "batch"
    assert "--metric NAME" in scene.works("score --help-all")
    scene.right(DICE, f"{first} p r {option} -o r.json")


@TABLE("cli.sides.both_sides_of: Score every file")
def two_folders(scene):
    maps_in(scene, lambda p: p * 0.5 + 0.25)
    command = scene.refused("soft mp mr").rpartition(": dicecli ")[2]
    scene.right(DICE, command, number="dice_at_half[1]@macro")


@TABLE("cli.start.no_command: Say what to do with it:")
def a_command_that_was_left_out(scene):
    scene.pair()
    scene.folders()
    for words in ("p.png r.png", "p r", "p.png r.png -m dice,iou"):
        scene.right(DICE, scene.refused(words).partition(": dicecli ")[2])
    scene.do(f"{_SCORE} -o r.json")
    for words in ("r.json", "p.png"):
        scene.works(scene.refused(words).partition(": dicecli ")[2])


@TABLE("cli.outputs.print_text: Write to a file with space:")
def standard_output_is_full(scene):
    scene.pair()
    with pytest.MonkeyPatch.context() as patch:

        def refuse(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr("dicecli.cli.outputs.to_nowhere", lambda _: None)
        patch.setattr("dicecli.cli.outputs.sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: False, flush=refuse, fileno=lambda: 1)))  # fmt: skip
        scene.refused(f"{_SCORE} -f csv")
    scene.right(DICE, f"{_SCORE} -o FILE.json")


@TABLE("plugins.broken: Repair that package, or uninstall it:")
def a_package_that_is_broken(scene):
    scene.pair()
    scene.text("p.xyz", "of a format that a package reads")
    with pytest.MonkeyPatch.context() as patch:

        def load():
            raise ImportError("no module named 'nothing'")

        patch.setattr(plugins, "_entries", lambda _: {"broken": SimpleNamespace(load=load)})
        patch.setattr(plugins, "installed", lambda kind: ("broken",) if kind == "formats" else ())
        patch.setattr(plugins, "_package", lambda _: "broken-things")
        hint = scene.refused("score p.xyz r.png")
        assert "pip uninstall broken-things" in hint
    scene.refused_again("score p.xyz r.png")  # it is uninstalled: there is no such format
    scene.right(DICE, _SCORE)


@TABLE("plugins.unknown: Did you mean")
def a_name_with_a_slip(scene):
    scene.pair(PREDICTION + 7, REFERENCE + 7)
    word = scene.refused(f"{_SCORE} --labels citiscapes").removeprefix("Did you mean ").split()[0].rstrip("?")
    assert word == "cityscapes"
    scene.refused_again(f"{_SCORE} --labels cityscapes-trai")
    scene.right(DICE, f"{_SCORE} --labels {word}", number="dice[8]")


@TABLE("plugins.unknown: Known:")
def a_name_of_nobody(scene):
    scene.pair()
    hint = scene.refused(f"{_SCORE} --labels xyzzy")
    assert "voc" in hint.removeprefix("Known: ").rstrip(".").split(", ")
    scene.right(DICE, f"{_SCORE} --labels voc")


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []


@TABLE("cli.configuration._table: Leave out the line [tool.dicecli].")
def a_table_beside_options(scene):
    scene.pair()
    scene.text("dicecli.toml", 'average = "micro"\n[tool.dicecli]\nundefined = "one"\n')
    line = scene.refused(_SCORE).removeprefix("Leave out the line ").rstrip(".")
    path = scene.folder / "dicecli.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(f"{line}\n", ""), encoding="utf-8")
    scene.right(DICE, _SCORE)
    scene.text("dicecli.toml", f'{line}\naverage = "micro"\n')  # alone it may stand there
    scene.right(DICE, _SCORE)


@TABLE("cli.configuration._checked: Write it without quotes: … =")
def a_number_in_quotes(scene):
    scene.pair()
    for text in ('timeout = "60"', 'include-background = "false"'):
        scene.text("dicecli.toml", f"{text}\n")
        scene.text("dicecli.toml", f"{scene.refused(_SCORE).rpartition(': ')[2]}\n")
        scene.right(DICE, _SCORE)


@TABLE("cli.origins.telling: Paths start in the folder")
def a_file_that_a_configuration_names_and_that_is_not_there(scene):
    scene.pair()
    scene.text("own/dicecli.toml", 'labels = "l.json"\n')
    scene.text("l.json", {"labels": {"0": "background", "1": "liver"}})
    command = f"{_SCORE} --config own/dicecli.toml"
    option = re.search(r"--\w+", scene.refused(command))[0]
    scene.right(DICE, f"{command} {option} l.json")
    (scene.folder / "l.json").rename(scene.folder / "own" / "l.json")
    scene.right(DICE, command)
