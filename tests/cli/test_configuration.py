"""Configuration files: where they are found, what they may say, and what is said of mistakes."""

from __future__ import annotations

import pytest
from files_of_options import own, shared

from dicecli.cli.configuration import OptionKind, load
from dicecli.errors import ConfigError

KNOWN = {
    "fail-under": OptionKind("fail_under", is_multiple=True),
    "max-drop": OptionKind("max_drop", is_multiple=True),
    "ignore_label": OptionKind("ignore_label", is_multiple=True, type="integer"),
    "include-background": OptionKind("include_background", is_flag=True),
    "undefined": OptionKind("undefined", choices=("skip", "zero", "one")),
    "format": OptionKind("format_name", choices=("table", "json")),
    "metric": OptionKind("metrics", is_multiple=True, choices=("dice", "iou")),
    "threshold": OptionKind("threshold", type="number"),
    "band": OptionKind("band", type="integer"),
    "labels": OptionKind("labels", is_path=True),
    "baseline": OptionKind("baseline", is_path=True),
    "output": OptionKind("outputs", is_multiple=True, is_path=True, is_output=True),
}


def test_the_two_files_say_the_same(tmp_path):
    """dicecli.toml has at its top what pyproject.toml has in its table."""
    options = 'fail-under = ["dice=0.8"]\nundefined = "one"\n'
    expected = {"fail_under": ["dice=0.8"], "undefined": "one"}
    assert expected == load(own(tmp_path, options), KNOWN)
    assert expected == load(shared(tmp_path, f"[tool.dicecli]\n{options}"), KNOWN)
    assert expected == load(own(tmp_path, "\ufeff" + options), KNOWN)


def test_nothing_said_is_nothing_set(tmp_path):
    """An empty file is fine."""
    assert load(own(tmp_path, "# nothing yet\n"), KNOWN) == {}
    assert load(shared(tmp_path, "[tool.dicecli]\n"), KNOWN) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fail-under = 'dice=0.8'", {"fail_under": ["dice=0.8"]}),
        ("fail_under = ['dice=0.8', 'iou[1]=0.5']", {"fail_under": ["dice=0.8", "iou[1]=0.5"]}),
        ("fail-under = []", {"fail_under": []}),
        ("max-drop = 0.01", {"max_drop": ["0.01"]}),
        ("max-drop = [0.01, 'dice[liver]=0.02']", {"max_drop": ["0.01", "dice[liver]=0.02"]}),
        ("ignore-label = 255", {"ignore_label": [255]}),
        ("ignore_label = [254, 255]", {"ignore_label": [254, 255]}),
        ("include-background = true", {"include_background": True}),
        ("include_background = false", {"include_background": False}),
        ("format = 'json'", {"format_name": "json"}),
        ("metric = 'iou'", {"metrics": ["iou"]}),
        ("threshold = 0.5", {"threshold": 0.5}),
        ("threshold = 1", {"threshold": 1}),
        ("band = 2", {"band": 2}),
    ],
)
def test_values_are_those_of_the_command_line(tmp_path, text, expected):
    """Keys take hyphens or underscores; a repeatable option takes one value or a list, and gives a list."""
    assert expected == load(own(tmp_path, text), KNOWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("include-background = 'yes'", 'include-background is "yes", true or false is expected'),
        ("include-background = 1", "include-background is 1, true or false is expected"),
        ("fail-under = true", "fail-under is true, a text, or a list of such, is expected"),
        ("fail_under = ['dice=1', false]", 'fail_under is ["dice=1", false], a text, or a list of such,'),
        ("fail-under = [['dice=1']]", 'fail-under is [["dice=1"]], a text, or a list of such,'),
        ("undefined = 'two'", 'undefined is "two", one of skip, zero, one is expected'),
        ("undefined = 1", "undefined is 1, one of skip, zero, one is expected"),
        ("undefined = ['one']", 'undefined is ["one"], one of skip, zero, one is expected'),
        ("metric = ['iou', 'x']", 'metric is ["iou", "x"], one of dice, iou, or a list of such, is expected'),
        ("threshold = '0.5'", 'threshold is "0.5", a number is expected'),
        ("threshold = true", "threshold is true, a number is expected"),
        ("band = 1.5", "band is 1.5, an integer is expected"),
        ("ignore-label = [1, 2.0]", "ignore-label is [1, 2.0], an integer, or a list of such, is expected"),
        ("labels = 3", "labels is 3, a text is expected"),
        ("labels = 1979-05-27", 'labels is "1979-05-27", a text is expected'),
        ("labels.liver = 1", 'labels is {"liver": 1}, a text is expected'),
    ],
)
def test_a_value_that_the_option_does_not_take_is_an_error(tmp_path, text, said):
    """The message has the file, the key as it is written, what was found and what is expected."""
    path = own(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(path, KNOWN)
    assert str(error.value).startswith(f"{path}: {said}")


def test_an_unknown_key_lists_the_near_and_the_known(tmp_path):
    """A misspelt gate must not be passed over."""
    path = own(tmp_path, "fail-undr = 'dice=0.8'\n")
    with pytest.raises(ConfigError, match="there is no option 'fail-undr'") as error:
        load(path, KNOWN)
    assert error.value.hint.startswith("Did you mean fail-under")
    assert "Known: band, baseline, fail-under" in error.value.hint
    many = {f"option-{place}": KNOWN["band"] for place in range(20)}
    with pytest.raises(ConfigError) as error:
        load(path, {**KNOWN, **many})
    assert error.value.hint.startswith("Did you mean fail-under? Known: those of the commands")
    assert len(error.value.hint) < 150
    with pytest.raises(ConfigError) as error:
        load(own(tmp_path, "zzz = 1\n"), KNOWN)
    assert error.value.hint.startswith("Known: band")


def test_one_option_in_both_spellings_is_an_error(tmp_path):
    """Neither of the two is silently dropped."""
    with pytest.raises(ConfigError, match="'fail_under' is there twice"):
        load(own(tmp_path, "fail-under = 'dice=0.8'\nfail_under = 'iou=0.8'\n"), KNOWN)


@pytest.mark.parametrize(
    ("text", "said"), [("band = 1\nband\n", "line 2"), ("x = " + "[" * 100_000, "is no TOML")]
)
def test_broken_toml_says_where(tmp_path, text, said):
    """The error has the file and the line, and is no traceback however the file is broken."""
    path = own(tmp_path, text)
    with pytest.raises(ConfigError, match=said) as error:
        load(path, KNOWN)
    assert str(path) == error.value.path


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    """TOML is UTF-8."""
    path = tmp_path / "dicecli.toml"
    path.write_bytes(b'labels = "\xff"\n')
    with pytest.raises(ConfigError, match="is no TOML"):
        load(path, KNOWN)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    """It was asked for, so it is not passed over."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "other.toml", KNOWN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tool = 1\n", "a table is expected"),
        ("tool.dicecli = 1\n", "a table is expected"),
        ("", "it has no table"),
    ],
)
def test_a_table_that_is_none_is_an_error(tmp_path, text, said):
    """[tool.dicecli] holds options, so it is a table; a file that was named has one."""
    with pytest.raises(ConfigError, match=said):
        load(shared(tmp_path, text), KNOWN)


def test_a_file_is_named_from_the_folder_of_the_configuration(tmp_path):
    """The same file is meant wherever the command is run."""
    text = "labels = 'meta/labels.json'\nbaseline = 'old.json'\noutput = ['a.csv', 'b.json']\n"
    expected = {
        "labels": str(tmp_path / "meta" / "labels.json"),
        "baseline": str(tmp_path / "old.json"),
        "outputs": [str(tmp_path / "a.csv"), str(tmp_path / "b.json")],
    }
    assert expected == load(own(tmp_path, text), KNOWN)


def test_a_preset_stays_a_preset(tmp_path):
    """A bare word is joined to the folder only where a file of that name lies there."""
    path = own(tmp_path, "labels = 'voc'\n")
    assert load(path, KNOWN) == {"labels": "voc"}
    (tmp_path / "voc").write_text("{}")
    assert {"labels": str(tmp_path / "voc")} == load(path, KNOWN)
