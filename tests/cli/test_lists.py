"""Lists with commas: one form on the command line, in a file and in Python."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.cli.choices import BadValue, Several, WordChoice
from dicecli.cli.configuration import load
from dicecli.cli.defaults import _known
from dicecli.cli.options import settings_from
from dicecli.errors import CaseError, ConfigError, UsageError
from dicecli.records.options import table_of
from dicecli.records.settings import AnyOptions
from dicecli.words import listed, plain

#: Of every option that is a list: a text with several values, and the same as Python's.
LISTS = {
    "metrics": ("dice, iou,hd95", ["dice", "iou", "hd95"]),
    "ignore_label": ("7, -1,255", [7, -1, 255]),
    "only": ("7, -1", [7, -1]),
    "tolerance": ("2mm,1.5px", ["2mm", "1.5px"]),
}
WORD = st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=6)


def typed(*options):
    """Return the settings that `batch` makes of its options."""
    command = cli.get_command(None, "batch")
    return settings_from(dict(command.make_context("batch", list(options)).params))


@settings(max_examples=60)
@given(st.lists(WORD | WORD.map(lambda word: f"a, {word}\"'"), min_size=1, max_size=4))
def test_a_list_is_a_line_of_csv(words):
    """What csv writes is read back, whatever signs are in the words."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    assert tuple(words) == listed(line.getvalue())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dice", ("dice",)),
        (' dice , "odd, name" ,iou,', ("dice", "odd, name", "iou")),
        ('"a ""b""",c', ('a "b"', "c")),
        (",,", (",,",)),
        ("", ("",)),
    ],
)
def test_lists_as_they_are_typed(text, words):
    """Spaces around words and commas too many do not matter; nothing is no list of nothing."""
    assert words == listed(text)


def test_every_option_that_repeats_takes_lists_but_for_texts_of_their_own():
    """Words and numbers do; a region has commas of its own."""
    table = table_of(AnyOptions)
    assert LISTS.keys() | {"regions"} == {name for name, each in table.items() if each.is_many}
    assert LISTS.keys() == {name for name, each in table.items() if each.is_list}
    of_batch = {each.name for each in cli.get_command(None, "batch").params if isinstance(each.type, Several)}
    assert LISTS.keys() == of_batch


@pytest.mark.parametrize("name", LISTS)
def test_a_list_means_the_same_everywhere(name, tmp_path):
    """Given once, repeated, mixed, in a file in both forms, and in Python as a text and as a list."""
    text, values = LISTS[name]
    long, path = f"--{table_of(AnyOptions)[name].key}", tmp_path / "x.toml"
    first, _, rest = text.partition(",")
    repeated = [word for value in values for word in (long, str(value))]
    found = [typed(long, text), typed(*repeated), typed(long, first, long, rest)]
    for said in (text, [first, rest], values):
        path.write_text(f"{long[2:]} = {json.dumps(said)}\n", encoding="utf-8")
        context = cli.get_command(None, "batch").make_context(
            "x", [], default_map=load(path, _known("batch")[1])
        )
        found.append(settings_from(dict(context.params)))
    found += [dicecli.make_settings(**{name: each}) for each in (text, values)]
    assert [found[0]] * len(found) == found
    assert found[0] != dicecli.make_settings()


def test_a_name_with_a_comma_is_quoted():
    """In --channels, where labels have names; a quote that is not closed is refused on the way of each."""
    labels = {"labels": {"1": "liver", "2": "odd, name"}}
    settings = dicecli.make_settings(soft=True, labels=labels, channels='"odd, name",liver')
    assert [each.label for each in settings.soft.channels] == [2, 1]
    with pytest.raises(UsageError, match="a quote is not closed"):
        dicecli.make_settings(metrics='dice,"iou')
    done = runner().invoke(cli, ["score", "a", "b", "-m", 'dice,"iou'])
    assert done.exit_code == 2
    assert 'dice,"odd, name"' in done.stderr


def test_a_list_in_a_file_that_is_no_number_is_refused_with_the_file(tmp_path):
    """Not by the command, which does not know where it stands."""
    path = tmp_path / "x.toml"
    path.write_text('ignore-label = "7,liver"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="an integer, or a list of such, is expected"):
        load(path, _known("batch")[1])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("User\N{RIGHT SINGLE QUOTATION MARK}s accuracy", "precision"),
        ("producer's-accuracy", "recall"),
        ("True Positive Rate", "recall"),
        ("IoU", "iou"),
        ("F1\N{NON-BREAKING HYPHEN}Score", "f1"),
        ("\N{LEFT DOUBLE QUOTATION MARK}DICE\N{RIGHT DOUBLE QUOTATION MARK}", "dice"),
        ("HD 95", "hd95"),
        ("NSD 1.5mm", "nsd_1.5mm"),
        ("mcc ", "mcc"),
    ],
)
def test_a_metric_is_found_however_it_is_spelt(written, name):
    """Case, curly quotes, dashes and what stands between words do not matter."""
    assert (name,) == dicecli.make_settings(metrics=written).metrics
    assert plain(written) == plain(plain(written))


def test_a_choice_is_found_however_it_is_spelt():
    """Case, and what stands between words, do not matter; a slip is refused with the nearest word."""
    assert "label-mean" == typed("--average", "Label_Mean").average
    with pytest.raises(BadValue, match="'label-man' is not one of") as caught:
        WordChoice(("macro", "label-mean")).convert("label-man", None, None)
    assert caught.value.meant == "Did you mean label-mean? "


@pytest.mark.parametrize(
    ("asked", "spacing", "shown"),
    [
        ("hd95_mm", "header", None),
        ("HD95 px", "header", "hd95_px"),
        ("hd95", "header", "hd95_px"),
        ("assd_px,hd95", "voxel", "assd_px"),
    ],
)
def test_a_unit_in_a_metrics_name_is_kept_to(asked, spacing, shown, tmp_path):
    """Lengths in another one are a failed row, as in a record that is read again; in Python an error."""
    mask = np.eye(3, dtype=np.uint8)
    Image.fromarray(mask).save(tmp_path / "m.png")
    paths = [str(tmp_path / "m.png")] * 2
    record = tmp_path / "r.json"
    done = runner().invoke(
        cli, ["score", *paths, "-m", asked, "--spacing", spacing, "-f", "csv", "-o", str(record)]
    )
    again = runner().invoke(cli, ["report", str(record), "-f", "csv"])
    if shown is None:
        assert (done.exit_code, again.exit_code) == (3, 3)
        assert "its lengths are in px, and a metric was asked for in mm" in done.stderr
        with pytest.raises(CaseError, match="asked for in mm"):
            dicecli.score(mask, mask, metrics=asked)
    else:
        assert (done.exit_code, again.exit_code) == (0, 0)
        assert shown in done.stdout.splitlines()[0].split(",")
        assert done.stdout == again.stdout


def test_units_of_two_names_have_to_agree():
    """A run has lengths in one unit."""
    with pytest.raises(UsageError, match="different units"):
        dicecli.make_settings(metrics="hd95_mm,assd_px")
