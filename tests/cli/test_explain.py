"""``dicecli explain``: every number that a gate can name is explained, with the value that a gate finds."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import dicecli
from dicecli.cli.main import cli
from dicecli.reports.explaining import explained, leading
from dicecli.reports.reading_back import from_dict


@pytest.fixture
def report(tmp_path):
    """Two cases of two labels, one of which only the first case has; written as JSON, and read back."""
    masks = tmp_path / "p", tmp_path / "r"
    from PIL import Image

    content = {
        "a": ([[1, 1, 2, 2], [0, 1, 2, 0]], [[1, 1, 1, 2], [0, 0, 2, 2]]),
        "b": ([[1, 1, 1, 0], [0, 0, 0, 0]], [[1, 0, 0, 0], [1, 0, 0, 0]]),
    }
    for side, folder in enumerate(masks):
        folder.mkdir()
        for name, arrays in content.items():
            Image.fromarray(np.array(arrays[side], np.uint8)).save(folder / f"{name}.png")
    found = dicecli.batch(*masks)
    (tmp_path / "r.json").write_text(json.dumps(found.to_dict()), encoding="utf-8")
    return found


def run(*words):
    return CliRunner().invoke(cli, ["explain", *map(str, words)])


NUMBERS = [
    "dice",
    "iou@micro",
    "dice[1]",
    "dice[2]@label-mean",
    "dice[1]@macro",
    "overall_kappa",
    "fbeta_2@weighted",
]


def test_a_name_without_a_number_does_not_hide_the_others(report, tmp_path):
    """Those that there are stand first, in their order; then why the first of the others is none."""
    done = run(tmp_path / "r.json", "iou@micro", "dise", "dice[7]", "dice[1]")
    assert done.exit_code == 2
    # With click 8.1 what goes to standard error stands behind it.
    assert done.stdout.startswith(run(tmp_path / "r.json", "iou@micro", "dice[1]").stdout)
    assert "there is no metric 'dise'" in done.output
    assert "value" not in run(tmp_path / "r.json", "dise").stdout
    assert report.scored


@pytest.mark.parametrize("name", NUMBERS)
def test_the_value_is_the_one_that_python_and_gates_have(report, tmp_path, name):
    said = run(tmp_path / "r.json", name)
    assert said.exit_code == 0, said.output
    lines = dict(line.split(None, 1) for line in said.output.splitlines()[1:] if not line.startswith(" "))
    assert float(lines["value"]) == report.look_up(name).value
    limit = report.look_up(name).value
    for gate, code in ((limit, 0), (np.nextafter(limit, 2), 1)):
        judged = CliRunner().invoke(
            cli,
            [
                "report",
                str(tmp_path / "r.json"),
                "--fail-under",
                f"{name}={gate!r}".replace("np.float64(", "").replace(")", ""),
            ],
        )
        assert judged.exit_code == code, judged.output


def test_of_one_row_it_says_whether_cases_are_pooled_or_averaged(report):
    pooled, over_cases = (dict(explained(report, f"dice[2]{each}")) for each in ("", "@label-mean"))
    assert pooled["average"].startswith("pooled")
    assert over_cases["average"].startswith("the mean over the cases")
    assert over_cases["n"] == "1 value, 1 undefined left out"
    assert over_cases["cases"] == "2 of 2 scored"


def test_of_an_average_it_says_over_which_labels(report):
    said = dict(explained(report, "dice@label-mean"))
    assert said["over"] == "2 labels: label 1, label 2"
    assert said["average"].startswith("label-mean: per label mean over the cases")


def test_without_a_name_the_averages_that_lead_are_explained(report, tmp_path):
    assert leading(report) == ("dice@macro", "iou@macro", "precision@macro", "recall@macro")
    said = run(tmp_path / "r.json")
    assert [line for line in said.output.splitlines() if "@" in line and line[0].isalpha()] == [
        *leading(report)
    ]
    assert max(map(len, said.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dice[9]", "there is no label or region '9'"),
        ("dice[1]@micro", "of one label or region there is no micro"),
        ("overall_kappa@micro", "is one number of all labels"),
        ("dice@nonsense", "there is no average 'nonsense'"),
        ("pq", "not there yet"),
        ("hd95", "needs the statistic 'surface'"),
        ("soft_dice_standard", "is of probability maps, and this run is of masks"),
        ("dice=", "METRIC@AVERAGE"),
        ("centre_distance", "needs the statistic 'place'"),
    ],
)
def test_what_has_no_meaning_here_is_an_error_with_a_hint(report, tmp_path, name, message):
    del report
    said = run(tmp_path / "r.json", name)
    assert said.exit_code == 2
    assert message in said.output
    assert "Hint:" in said.output


@pytest.mark.usefixtures("report")
def test_the_hint_for_an_average_of_one_row_leads_to_numbers(tmp_path):
    said = run(tmp_path / "r.json", "dice[1]@micro").output
    for name in ("dice[1]@macro", "dice[1]@label-mean"):
        assert name in said
        assert run(tmp_path / "r.json", name).exit_code == 0


def test_a_length_is_explained_with_its_unit_in_pixels(tmp_path):
    given = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    given[0][0, 0] = given[1][0, 3] = 1
    found = from_dict(json.loads(json.dumps(dicecli.score(*given, metrics=["centre_distance"]).to_dict())))
    said = dict(explained(found, "centre_distance_px"))
    assert said["value"] == "3.0"
    assert said["metric"].startswith("centre_distance_px")
    del tmp_path


@pytest.fixture(scope="module")
def maps():
    """Return the report of the sample maps, of which each case has another best threshold."""
    return dicecli.batch("sample_masks/probabilities", "sample_masks/references", soft=True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dice_best", "one threshold for all cases and all that is averaged"),
        ("gain@weighted", "one threshold for all cases and all that is averaged"),
        ("best_threshold[1]", "one threshold for all cases,"),
        ("dice_best[1]@macro", "one threshold for all cases,"),
        ("dice_best[1]@label-mean", "each case has its own threshold"),
        ("dice_best@label-mean", "each case has its own threshold"),
        ("dice_best@micro-imagewise", "each case has its own threshold"),
    ],
)
def test_of_a_tuned_number_it_says_what_the_threshold_was_chosen_on(maps, name, said):
    assert dict(explained(maps, name))["tuned"].startswith(said)
    assert "tuned" not in dict(explained(maps, name.replace(name.split("[")[0].split("@")[0], "dice_argmax")))


def test_a_number_of_all_channels_is_explained_without_a_table(maps):
    assert dict(explained(maps, "overall_ece"))["over"].startswith("all channels together")
