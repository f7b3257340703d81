"""``--like``: the options that stand for another tool, its numbers, and what is refused of it."""

from __future__ import annotations

import itertools
import json
import re

import make
import numpy as np
import pytest
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.metrics._catalogue import catalogue
from dicecli.records.options import table_of
from dicecli.records.settings import MaskOptions
from dicecli.records.tools import TOOLS

SETS = {
    "metricsreloaded": {"undefined": "one"},
    "monai": {"average": "macro-imagewise"},
    "medpy": {"undefined": "one", "directions": "pool"},
    "panoptica": {"directions": "pool", "nsd_directions": "mean"},
    "deepmind": {"surface": "corner", "percentile_rule": "step"},
    "gcm": {"percentile_rule": "index"},
    "nnunet": {"average": "label-mean", "directions": "pool", "nsd_directions": "mean"},
}
#: What the tools print of a block of 10 mm that is found and one of 3 mm that is missed; MONAI in float32.
PRINTED = {
    "metricsreloaded": {"hd95": 7.736959855960149, "assd": 0.885311752240699, "nsd_1mm": 0.974051896207585},
    "monai": {"hd95": 7.737077236175537, "assd": 0.885311782360077, "asd_to_reference": 0.3360655605793},
    "medpy": {"hd95": 1.0, "assd": 0.885311752240699, "asd_to_prediction": 1.4067750500879},
    "panoptica": {"hd95": 1.0, "masd": 0.871420311929196, "nsd_1mm": 0.974708171206226},
    "deepmind": {
        "hd95": 20.199009876724155,
        "asd_to_prediction": 1.781851545066862,
        "nsd_1mm": 0.963530148908459,
    },
    "gcm": {"hd": 22.759613353482084, "hd95": 1.0},
    "nnunet": {"hd95": 1.0, "assd": 0.885311752240699, "nsd_1mm": 0.974708171206226},
}


def two_blocks():
    """Return a prediction that lacks a small block of the reference and has the other a voxel off."""
    reference, prediction = np.zeros((2, 40, 24, 24), np.uint8)
    reference[4:14, 5:15, 6:16] = reference[33:36, 18:21, 3:6] = 1
    prediction[4:14, 6:16, 6:16] = 1
    return prediction, reference


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Make volumes of 1 mm the files of an empty folder, which is the current one and a repository."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, array in zip(("p.nii", "r.nii"), two_blocks(), strict=True):
        make.nifti(tmp_path / name, array, affine=np.eye(4))
    return tmp_path


def score(*options):
    return runner().invoke(cli, ["score", "p.nii", "r.nii", *options], terminal_width=200)


@pytest.mark.parametrize("like", TOOLS)
def test_a_tool_stands_for_options(like):
    """The settings are those of its options, with its name beside them; nothing else is another than by default."""
    assert TOOLS.keys() == SETS.keys() == {*table_of(MaskOptions)["like"].choices}
    found, usual = (dicecli.make_settings(like=each).to_dict() for each in (like, None))
    assert {name: value for name, value in found.items() if value != usual[name]} == {
        **SETS[like],
        "like": like,
    }
    assert found == {**dicecli.make_settings(**SETS[like]).to_dict(), "like": like}


@pytest.mark.parametrize("like", TOOLS)
def test_a_tool_has_metrics_that_there_are(like):
    """What it has is computed here, but for words of its own; nothing is both right there and wrong."""
    here = {each.function.__name__ for each in catalogue().values()}
    tool = TOOLS[like]
    assert {*tool.has} <= here
    assert not {*tool.has} & tool.wrong.keys()
    assert {each for wrong in tool.wrong.values() for each in wrong.instead} <= here


def test_an_option_that_is_given_wins():
    """What the user says otherwise stays, whatever the tool does; the rest is the tool's."""
    found = dicecli.make_settings(like="nnunet", directions="mean", average="micro")
    assert (found.directions, found.average, found.nsd_directions) == ("mean", "micro", "mean")


@pytest.mark.parametrize("like", TOOLS)
def test_a_tools_numbers(like, pair):
    """Distances of two volumes are those that the tool prints, MONAI's to its single precision."""
    expected = PRINTED[like]
    report = dicecli.score(pair / "p.nii", pair / "r.nii", like=like, metrics=[*expected])
    (row,) = report.case(report.scored[0]).labels
    found = {name: row.values.get(name, row.values.get(f"{name}_mm")) for name in expected}
    assert found == pytest.approx(expected, rel=2e-5 if like == "monai" else 1e-12)


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("like", TOOLS)
def test_the_options_that_are_printed_give_the_same_numbers(like):
    """Pasted in place of --like they give the same report, but that it does not name the tool."""
    asked = ["-m", "dice", "-m", "hd95", "--tolerance", "1mm"]
    shown = score(*asked, "--like", like, "-f", "markdown").stdout
    (line,) = re.findall(r"^- \*\*like\*\*: (.*)$", shown, re.MULTILINE)
    pasted = re.search(r"(--\S+ \S+ ?)+", line.replace(";", " ")).group().split()
    assert len(pasted) == 2 * len(SETS[like])
    assert "--like" not in pasted
    records = [json.loads(score(*asked, *each, "-f", "json").stdout) for each in (("--like", like), pasted)]
    assert [each["settings"].pop("like") for each in records] == [like, None]
    assert [bool(each.pop("origin")) for each in records] == [True, True]
    assert records[0] == records[1]


@pytest.mark.usefixtures("pair")
def test_every_report_for_people_says_it_in_one_line():
    """Of one case and of a batch; what the tool lacks is said to be computed as ever; without it nothing is said."""
    options = ["-m", "hd95", "-m", "masd", "--like", "medpy"]
    said = "as MedPy 0.5.2, here --undefined one --directions pool; as without --like: masd_mm"
    assert f" like {said} " in " ".join(score(*options).stdout.split())
    assert f"- **like**: {said}\n" in score(*options, "-f", "markdown").stdout.replace("\\_", "_")
    for form in ("table", "markdown"):
        done = runner().invoke(
            cli, ["batch", ".", ".", "--allow-same", *options, "-f", form], terminal_width=200
        )
        shown = " ".join(done.stdout.replace("\\_", "_").split())
        assert (f" like {said} " if form == "table" else f"- **like**: {said}") in shown
    assert "like" not in score("-m", "hd95").stdout.replace("unlike", "")


@pytest.mark.parametrize(
    ("like", "metrics", "instead"),
    [
        ("panoptica", "assd", ["masd"]),
        ("panoptica", ["dice", "ASSD_mm"], ["masd"]),
        ("panoptica", "boundary", ["hd95", "masd"]),
        ("deepmind", "masd", ["asd_to_reference", "asd_to_prediction"]),
        ("gcm", "Modified-Hausdorff-Distance", ["asd_to_reference", "asd_to_prediction"]),
        ("gcm", iter(["mean_contour_distance"]), []),
        ("gcm", "accuracy", []),
    ],
)
def test_what_is_another_number_in_a_tool_is_refused(like, metrics, instead):
    """By the tool's words as well; the hint names what is that number here, or both of what do not go together."""
    with pytest.raises(UsageError, match=re.escape(TOOLS[like].title)) as caught:
        dicecli.make_settings(like=like, metrics=metrics)
    assert re.findall(r"-m (\w+)", caught.value.hint) == instead
    if instead:
        assert dicecli.make_settings(like=like, metrics=instead).metrics == tuple(instead)
    else:
        assert f"--like {like}" in caught.value.hint


def test_what_is_right_in_a_tool_is_not_refused():
    """A family, names that a generator gives, and none at all."""
    assert dicecli.make_settings(like="monai", metrics="boundary").metrics == ("hd95", "assd")
    assert dicecli.make_settings(like="gcm", metrics=(each for each in ["dice", "hd"])).metrics == (
        "dice",
        "hd",
    )
    assert dicecli.make_settings(like="gcm").metrics is None
    with pytest.raises(UsageError, match="metrics is 3"):
        dicecli.make_settings(like="gcm", metrics=3)


def test_it_stands_in_a_file(pair):
    """A repository may say it once; what is given on the command line wins there, too."""
    (pair / "dicecli.toml").write_text('like = "deepmind"\n')
    found = json.loads(score("-q", "-f", "json", "--percentile-rule", "index").stdout)["settings"]
    assert (found["like"], found["surface"], found["percentile_rule"]) == ("deepmind", "corner", "index")


def test_records_of_a_tool_are_read_again(pair):
    """A report names the tool as its record does, and merges with none of another tool."""
    cases = [
        dicecli.score_many([dicecli.Case(name, *two_blocks())], dicecli.make_settings(like=like))
        for name, like in (("a", "monai"), ("b", "monai"), ("c", "gcm"))
    ]
    for name, report in zip("abc", cases, strict=True):
        (pair / f"{name}.json").write_text(report.render("json"))
    done = runner().invoke(cli, ["report", "a.json", "b.json"], terminal_width=200)
    assert done.exit_code == 0
    assert " like as MONAI 1.6.1, here --average macro-imagewise " in " ".join(done.stdout.split())
    assert "different settings: average, like, percentile_rule" in " ".join(
        runner().invoke(cli, ["report", "a.json", "c.json"]).stderr.split()
    ).replace("average, percentile_rule, like", "average, like, percentile_rule")


def test_dice_of_monai_where_every_reference_has_every_label():
    """The average that leads is MONAI's mean, to its single precision."""
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    rng = np.random.default_rng(3)
    references, predictions = rng.integers(0, 3, (2, 4, 9, 9)).astype(np.uint8)
    predictions[0][predictions[0] == 2] = 1
    layers = [
        torch.tensor(np.stack([each == label for label in range(3)], 1)) for each in (predictions, references)
    ]
    their = metrics.DiceMetric(include_background=False)
    their(*layers)
    pairs = enumerate(zip(predictions, references, strict=True))
    report = dicecli.score_many(
        [dicecli.Case(str(name), *each) for name, each in pairs], dicecli.make_settings(like="monai")
    )
    assert report.look_up("dice").value == pytest.approx(their.aggregate().item(), rel=1e-6)
    assert report.look_up("dice").value != report.look_up("dice@macro").value


def test_dice_of_nnunet():
    """The average that leads is its foreground_mean: per label over the cases that have it, then over labels."""
    rng = np.random.default_rng(4)
    references, predictions = rng.integers(0, 3, (2, 4, 5, 5)).astype(np.uint8)
    references[0][references[0] == 2] = predictions[0][predictions[0] == 2] = 0
    values = {1: [], 2: []}
    for label, reference in itertools.product(values, range(4)):
        here, there = predictions[reference] == label, references[reference] == label
        if here.any() or there.any():
            values[label].append(2 * (here & there).sum() / (here.sum() + there.sum()))
    pairs = enumerate(zip(predictions, references, strict=True))
    report = dicecli.score_many(
        [dicecli.Case(str(name), *each) for name, each in pairs], dicecli.make_settings(like="nnunet")
    )
    expected = np.mean([np.mean(each) for each in values.values()])
    assert len(values[2]) == 3
    assert report.look_up("dice").value == pytest.approx(expected, rel=1e-12)
