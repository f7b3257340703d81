"""Hints on numbers, gates, baselines, records and outputs, followed to the letter."""

from __future__ import annotations

import csv
import errno
import json
import os
import shlex
from dataclasses import replace

import following
import numpy as np
import pytest
from following import DICE, PREDICTION, REFERENCE, Table, options_of

import dicecli
from dicecli.cli import overwriting
from dicecli.metrics._catalogue import resolve
from dicecli.reports import writing
from dicecli.reports.comparison.drops import compare
from dicecli.reports.reading_back import from_dict

TABLE = Table("reports")
_SCORE = "score p.png r.png"
_BATCH = "batch p r"
_RESULTS = f"{_BATCH} -o results.json"
_IOU = 2 / 3


def scored(**options):
    return dicecli.score(PREDICTION, REFERENCE, **options)


def gated(scene, expected, text, option="--fail-under", command=_BATCH):
    """Judge a run by a gate; its value must be the one that was computed apart."""
    found = scene.do(f"{command} {option} {shlex.quote(text)}")
    assert found.code in {0, 1}, found.text[-500:]
    assert pytest.approx(expected, abs=1e-12) == found.report.verdicts[0].value


def written_in(hint):
    """Return what a hint tells to write."""
    return hint.removeprefix("Write ").partition(";")[0].rstrip(".").replace("'", "")


@TABLE("reports.judging.__init__: Give both: --baseline old.json")
def half_of_a_comparison(scene):
    scene.folders()
    scene.do(f"{_BATCH} -o old.json")
    scene.refused(f"{_BATCH} --max-drop 0.01")
    scene.right(DICE, f"{_BATCH} --baseline old.json --max-drop 0.01")
    (scene.folder / "old.json").unlink()
    scene.refused_again(f"{_BATCH} --baseline old.json --max-drop 0.01")


@TABLE("reports.outputs.exporter_of: Did you mean")
def a_suffix_with_a_slip(scene):
    scene.folders("a")
    scene.refused("score p/a.png r/a.png -o scores.jsn")
    scene.works(f"score p/a.png r/a.png -o scores{scene.meant()}")


@TABLE("reports.outputs._check_is_one: Repeat the option:")
def files_with_commas_between(scene):
    scene.folders("a")
    for part, command in (
        ("output", "score p/a.png r/a.png -o"),
        ("summary", f"{_BATCH} --dry-run --summary"),
    ):
        hint = scene.refused(f"{command} one.csv,two.json")
        line, _, python = hint.removeprefix("Repeat the option: ").rstrip(".").partition("; in Python ")
        scene.works(f"{command.rpartition(' ')[0]} {line}")
        assert python == f"{part}=['one.csv', 'two.json']"
    scene.refused(dicecli.score, PREDICTION, REFERENCE, output="one.csv,two.json")
    scene.works(dicecli.score, PREDICTION, REFERENCE, output=["one.csv", "two.json", "a,b.csv"])


@TABLE("reports.outputs.exporter_of: The format goes by the suffix:")
def an_output_without_a_format(scene):
    scene.pair()
    for option, command in (("-o", _SCORE), ("--summary", f"{_BATCH} --dry-run")):
        scene.folders() if option == "--summary" else None
        hint = scene.refused(f"{command} {option} scores.xyz")
        for suffix in hint.removeprefix("The format goes by the suffix: ").rstrip(".").split(", "):
            scene.works(f"{command} {option} scores{suffix}")


@TABLE("reports.asked.parse: Write dice, iou@micro,")
def no_name_of_a_number(scene):
    report = scored(labels={"labels": {"0": "background", "1": "liver"}})
    hint = scene.refused(report.look_up, "dice@")
    values = {"dice": DICE, "iou@micro": _IOU, "dice[liver]": DICE, "dice[liver]@label-mean": DICE}
    assert set(values) == set(written_in(hint).replace(" or ", " ").split(", ")) - {""} or hint
    for name, value in values.items():
        assert name in hint
        scene.gives(value, report.look_up, name)


@TABLE("reports.run.place_of: Give one of report.scored.")
def no_case_of_the_report(scene):
    report = scored()
    scene.refused(report.case, report)
    scene.gives(DICE, lambda: report.case(report.scored[0]).averages["macro"]["dice"])


@TABLE("reports.run.check_given: Make them: dicecli.make_settings().")
def no_settings(scene):
    report = scored()
    scene.refused(report.shown_with, "dice")
    scene.gives(DICE, lambda: report.shown_with(dicecli.make_settings()).look_up("dice"))


@TABLE("reports.run.check_given: Give what report.results has")
def no_results(scene):
    report = scored()
    scene.refused(dicecli.Report, [report], report.settings)
    scene.gives(DICE, lambda: dicecli.Report(report.results, report.settings).look_up("dice"))
    cases = [dicecli.Case("a", PREDICTION, REFERENCE)]
    scene.gives(DICE, lambda: dicecli.score_many(cases, report.settings).look_up("dice"))


@TABLE("reports.asked.parse: Write ….")
def an_average_of_a_number_of_all(scene):
    scene.folders()
    written = written_in(scene.refused(scored().look_up, "overall_accuracy@macro"))
    scene.gives(5 / 6, scored().look_up, written)
    written = written_in(scene.refused(f"{_BATCH} --fail-under overall_accuracy@macro=0.5"))
    gated(scene, 5 / 6, written)


@TABLE("reports.asked._check_average: Name a label:")
def an_average_of_what_has_none(scene):
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        (scene.folder / side).mkdir()
        scene.nii(f"{side}/a.nii.gz", array[..., None], affine=np.diag([2, 2, 2, 1]))
    hint = scene.refused(f"{_BATCH} --fail-over min:volume_reference_mm3@macro=9")
    name = hint.removeprefix("Name a label: ").rstrip(".")
    assert name == "min:volume_reference_mm3[1]=9"
    scene.refused_again(f"{_BATCH} --fail-over {name}")  # it has no direction
    report = dicecli.score(*(scene.folder / side / "a.nii.gz" for side in "pr"))
    scene.gives(16.0, report.value, "volume_reference_mm3", report.scored[0], 1)


@TABLE("reports.bound.bind: Name a label:")
def a_number_of_labels_without_one(scene):
    paths = [
        scene.nii(f"{side}.nii.gz", array[..., None], affine=np.diag([2, 2, 2, 1]))
        or scene.folder / f"{side}.nii.gz"
        for side, array in (("p", PREDICTION), ("r", REFERENCE))
    ]
    report = dicecli.score(*paths)
    hint = scene.refused(report.look_up, "volume_reference_mm3")
    scene.gives(16.0, report.look_up, hint.removeprefix("Name a label: ").rstrip("."))


@TABLE("reports.asked._check_average: Write …; it has")
def an_average_that_pools(scene):
    scene.folders()
    report = scored(metrics=["centre_distance"])
    expected = report.value("centre_distance", report.scored[0], 1)
    hint = scene.refused(report.look_up, "centre_distance@macro")
    scene.gives(expected, report.look_up, written_in(hint))
    for average in hint[hint.index("it has ") + 7 :].rstrip(".").split(" and "):
        scene.gives(expected, report.look_up, f"centre_distance@{average}")
    ask = f"{_BATCH} -m centre_distance"
    gate = written_in(scene.refused(f"{ask} --fail-over centre_distance@micro=2"))
    gated(scene, expected, gate, "--fail-over", ask)


@TABLE("reports.asked._check_average: Write ….")
def an_average_of_one_label(scene):
    hint = scene.refused(scored().look_up, "dice[1]@micro")
    for each in written_in(hint).split(" or "):
        scene.gives(DICE, scored().look_up, each.partition(" ")[0])


@TABLE("reports.of_nnunet.report_of: Give summary.json as nnU-Net wrote")
def a_summary_of_nnunet_that_contradicts_itself(scene):
    scene.folders("a")
    scene.do(f"{_BATCH} -o whole.nnunet.json")
    record = json.loads((scene.folder / "whole.nnunet.json").read_text())
    record["mean"]["1"]["Dice"] = 0.1
    scene.text("summary.json", json.dumps(record))
    scene.refused(f"{_BATCH} --baseline summary.json")
    scene.right(DICE, f"{_BATCH} --baseline whole.nnunet.json")
    scene.right(DICE, f"{_BATCH} -o results.json")


@TABLE("reports.parts.check_reads: Write another form, as JSON:")
def a_form_of_masks_for_maps(scene):
    scene.npy("p.npy", PREDICTION * 0.5 + 0.25)
    scene.png("r.png", REFERENCE)
    scene.refused("soft p.npy r.png -f nnunet")
    scene.works("soft p.npy r.png -f json")
    scene.works("soft p.npy r.png -o results.json")


@TABLE("reports.exporters.nnunet._key: Binary layers have none:")
def layers_in_the_form_of_nnunet(scene):
    layers(scene)
    scene.refused("score p/a.nii.gz r/a.nii.gz -f nnunet")
    scene.works("score p/a.nii.gz r/a.nii.gz -o results.json")


@TABLE("reports.grouping.check_column: Columns are those of a CSV")
def folders_have_no_columns(scene):
    scene.folders("a")
    hint = scene.refused(f"{_BATCH} --group-by fold")
    header = hint.rpartition("first line ")[2].rstrip(".")
    scene.text("pairs.csv", f"{header}\np/a.png,r/a.png,1\n")
    scene.right(DICE, "batch --pairs pairs.csv --group-by fold")


@TABLE("reports.grouping.check_column: Did you mean", "reports.grouping.check_column: Known:")
def a_column_that_no_case_has(scene):
    scene.folders("a")
    scene.text("pairs.csv", "prediction,reference,fold,site\np/a.png,r/a.png,1,x\n")
    slip = "flod" if "Did you mean" in scene.place.name else "xyzzy"
    hint = scene.refused(f"batch --pairs pairs.csv --group-by {slip}")
    assert hint.startswith("Did you mean fold? ") == (slip == "flod")
    for column in hint.partition("Known: ")[2].rstrip(".").split(", "):
        scene.right(DICE, f"batch --pairs pairs.csv --group-by {column}")


@TABLE("reports.grouping.check_column: It is the name of a")
def a_number_for_a_column(scene):
    scene.folders("a")
    scene.text("pairs.csv", "prediction,reference,fold\np/a.png,r/a.png,1\n")
    pairs = scene.folder / "pairs.csv"
    scene.refused(dicecli.batch, pairs=pairs, group_by=1)
    scene.right(DICE, dicecli.batch, pairs=pairs, group_by="fold")


@TABLE("reports.comparison.matching.match: Give as a baseline results of")
def a_baseline_of_the_other_kind(scene):
    scene.folders()
    scene.npy("p.npy", PREDICTION * 0.5 + 0.25)
    scene.png("r.png", REFERENCE)
    scene.do("soft p.npy r.png -o maps.json")
    scene.do(f"{_BATCH} -o masks.json")
    scene.refused(f"{_BATCH} --baseline maps.json --max-drop 0.01")
    scene.right(DICE, f"{_BATCH} --baseline masks.json --max-drop 0.01")


@TABLE("reports.comparison.matching.match: Cases are matched by their names.")
def a_baseline_of_other_cases(scene):
    scene.folders("a")
    scene.do(f"{_BATCH} -o a.json")
    scene.do("batch p r -o other.json")
    for side in "pr":
        (scene.folder / side / "a.png").rename(scene.folder / side / "b.png")
    scene.refused(f"{_BATCH} --baseline a.json --max-drop 0.01")
    scene.do(f"{_BATCH} -o b.json")
    scene.right(DICE, f"{_BATCH} --baseline b.json --max-drop 0.01")


@TABLE("reports.comparison.drops._numbers: Give a baseline whose lengths are")
def a_baseline_in_another_unit(scene):
    ask = "batch p r -m centre_distance"
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        (scene.folder / side).mkdir()
        scene.png(f"{side}/a.png", array)
    scene.do(f"{ask} -o px.json")
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        (scene.folder / side / "a.png").unlink()
        scene.tif(f"{side}/a.tif", array)
    scene.do(f"{ask} -o m.json")
    drop = "--max-drop centre_distance[1]=0.01"
    scene.refused(f"{ask} --baseline px.json {drop}")
    gated(scene, 0.0, "centre_distance[1]=0.01", "--baseline m.json --max-drop", ask)
    scene.hint = scene.hint or ""


def layers(scene):
    """Write a case of two binary layers."""
    (scene.folder / "p").mkdir()
    (scene.folder / "r").mkdir()
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.nii(f"{side}/a.nii.gz", np.stack([array, array], -1)[:, :, None])


@TABLE("reports.comparison.drops._numbers: Name a region, as dice[tumour]=0.01, or")
def an_average_of_labels_of_layers(scene):
    layers(scene)
    ask = f"{_BATCH} --region tumour=1 --region core=2"
    scene.do(f"{ask} -o old.json")
    scene.refused(f"{ask} --baseline old.json --max-drop dice@macro=0.01")
    for drop in ("dice[tumour]=0.01", "dice@macro-regions=0.01"):
        assert drop in scene.hint
        gated(scene, 0.0, drop, "--baseline old.json --max-drop", ask)


@TABLE("reports.comparison.drops._numbers: Name one average:")
def other_averages_lead(scene):
    scene.folders()
    scene.do(f"{_BATCH} -o old.json --average micro")
    hint = scene.refused(f"{_BATCH} --baseline old.json --max-drop 0.01")
    drop = hint.removeprefix("Name one average: ").rstrip(".")
    gated(scene, 0.0, drop, "--baseline old.json --max-drop")


@TABLE("reports.comparison.drops.parse_drop: Write 0.01")
def no_drop(scene):
    scene.folders()
    labels = f"{_BATCH} --labels l.json"
    scene.text("l.json", {"labels": {"0": "background", "1": "liver"}})
    scene.do(f"{labels} -o old.json")
    hint = scene.refused(f"{labels} --baseline old.json --max-drop min:dice=0.01")
    for drop in ("0.01", "iou@micro=0.01", "dice[liver]=0.02"):
        assert drop in hint
        gated(scene, 0.0, drop, "--baseline old.json --max-drop", labels)
    scene.npy("p.npy", PREDICTION * 0.5 + 0.25)
    assert "soft_dice_standard" in hint


@TABLE("reports.comparison.matching._by_name: Give each case a name of")
def two_cases_of_a_name(scene):
    scene.folders("a")
    report = dicecli.batch(scene.folder / "p", scene.folder / "r")
    twice = dicecli.Report([*report.results, *report.results], report.settings, is_batch=True)
    scene.refused(compare, twice, report, ["0.01"])
    scene.works(compare, report, report, ["0.01"])
    assert compare(report, report, ["0.01"])[0].value == 0


@TABLE("reports.bound.metric_of: Name a metric of")
def a_metric_of_maps_of_masks(scene):
    scene.refused(scored().look_up, "brier")
    assert "dice" in scene.works("metrics")
    scene.gives(DICE, scored().look_up, "dice")


@TABLE("reports.bound.metric_of: Write …, and the limit in")
def a_gate_in_another_unit(scene):
    scene.folders()
    ask = f"{_BATCH} -m centre_distance"
    expected = scene.do(ask).report.look_up("centre_distance").value
    hint = scene.refused(f"{ask} --fail-over centre_distance_mm[1]=2")
    gated(scene, expected, f"{written_in(hint).partition(',')[0]}[1]=2", "--fail-over", ask)


@TABLE("reports.bound.bind: Write …[…]@….")
def an_average_over_regions_of_a_label(scene):
    hint = scene.refused(scored(regions={"both": [1]}).look_up, "dice[1]@macro-regions")
    scene.gives(DICE, scored(regions={"both": [1]}).look_up, written_in(hint))


@TABLE("reports.bound.bind: Known: ….")
def an_average_that_there_is_not(scene):
    report = scored()
    known = (
        scene.refused(report.look_up, "dice@macro-regions").removeprefix("Known: ").rstrip(".").split(", ")
    )
    assert {"macro", "micro"} <= set(known)
    for average in known:
        scene.gives(DICE, report.look_up, f"dice@{average}")


@TABLE(
    "reports.by_name.__getattr__: Did you mean",
    "reports.by_name.__getattr__: dir(report) lists what it",
)
def an_attribute_with_a_slip(scene):
    report = dicecli.score(PREDICTION, REFERENCE)
    if "Did you mean" not in scene.place.name:
        scene.refused(getattr, report, "xyzzy")
        assert "dice" in dir(report)
        scene.gives(DICE, getattr, report, "dice")
        return
    word = scene.refused(getattr, report, "dise").removeprefix("Did you mean ").split()[0].rstrip("?")
    assert word in dir(report)
    scene.gives(DICE, getattr, report, word)


@TABLE("reports.report.plot: Install it with: pip install")
def a_plot_without_matplotlib(scene):
    pytest.importorskip("matplotlib")
    report = dicecli.score(PREDICTION, REFERENCE)
    missing = following.module_is_missing("matplotlib")
    scene.refused(report.plot)
    missing.undo()
    scene.works(report.plot)


@TABLE("reports.by_name._text_of: Give the number of a label,")
def a_row_that_is_none(scene):
    report = dicecli.score(PREDICTION, REFERENCE, labels={1: "liver"})
    scene.refused(lambda: report[None])
    scene.gives(DICE, lambda: report[1].dice)
    scene.gives(DICE, lambda: report["liver"].dice)


@TABLE("reports.bound.row_called: Write a label's number, or rename")
def a_label_and_a_region_of_a_name(scene):
    labels = {"labels": {"0": "background", "1": "liver", "2": "tumour"}}
    report = scored(labels=labels | {"regions": {"liver": [1, 2]}})
    scene.refused(report.look_up, "dice[liver]")
    scene.gives(DICE, report.look_up, "dice[1]")
    scene.gives(DICE, scored(labels=labels | {"regions": {"all": [1, 2]}}).look_up, "dice[all]")


@TABLE("reports.bound._unknown: Known:")
def a_label_that_there_is_not(scene):
    report = scored(regions={"both": [1]})
    known = scene.refused(report.look_up, "dice[7]").removeprefix("Known: ").rstrip(".").split(", ")
    assert known == ["0", "1", "both"]
    for name in known[1:]:
        scene.gives(DICE, report.look_up, f"dice[{name}]")


@TABLE("reports.reading_back.read_report: Did you mean")
def a_slip_in_the_name_of_a_record(scene):
    scene.folders()
    scene.do(_RESULTS)
    scene.refused("report result.json")
    assert f"{DICE:.4f}" in scene.works(f"report {scene.meant()}")


@TABLE("reports.bound._unknown: Did you mean")
def a_slip_in_a_label(scene):
    report = scored(regions={"liver": [1]})
    scene.refused(report.look_up, "dice[livr]")
    scene.gives(DICE, report.look_up, f"dice[{scene.meant()}]")


@TABLE("reports.asked._metric_of: Write …, or ….")
def an_average_of_an_average(scene):
    report = scored()
    for asked in ("miou@micro", "macro f1[1]"):
        scene.refused(report.look_up, asked)
        for name in scene.hint.removeprefix("Write ").rstrip(".").split(", or "):
            scene.gives(DICE if "f1" in name else DICE / (2 - DICE), report.look_up, name)


@TABLE("reports.matrix.check_matrix: Score them as masks:")
def a_confusion_matrix_of_maps(scene):
    for side, array in (
        ("p", np.stack([1.0 - PREDICTION, PREDICTION], -1)[:, :, None]),
        ("r", REFERENCE[:, :, None]),
    ):
        (scene.folder / side).mkdir()
        scene.nii(f"{side}/a.nii", array.astype(np.float32 if side == "p" else np.uint8))
    scene.do("batch --soft p r -o results.json")
    scene.refused("report results.json --confusion m.csv")
    scene.right(DICE, "batch p r --argmax --confusion m.csv", number="dice[1]")
    scene.nii("p/a.nii", PREDICTION[:, :, None].astype(np.float32) * 0.9)
    scene.right(DICE, "batch p r --threshold 0.5 --confusion m.csv", number="dice[1]")


@TABLE("reports.matrix.check_matrix: What each layer has right and")
def a_confusion_matrix_of_layers(scene):
    for name, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.tif(f"{name}.tif", np.stack([array, array]), photometric="minisblack", alpha="no")
    scene.refused("score p.tif r.tif --confusion m.csv")
    scene.do("score p.tif r.tif -o FILE.csv")
    (row, _) = csv.DictReader((scene.folder / "FILE.csv").read_text().splitlines())
    assert [row[each] for each in ("tp", "fp", "fn", "tn")] == ["2", "1", "0", "3"]


@TABLE("reports.matrix.check_matrix: Score the masks again:")
def a_confusion_matrix_of_counts(scene):
    record = scored().to_dict()
    for case in record["cases"]:
        del case["measured"]
    scene.text("old.json", record | {"schema": 1})
    scene.refused("report old.json --confusion m.csv")
    scene.pair()
    scene.right(DICE, f"{_SCORE} --confusion m.csv")


@TABLE("reports.matrix.whole: JSON has the pairs")
def a_confusion_matrix_of_too_many_labels(scene):
    for name, label in (("a", 1), ("b", 2)):
        scene.folders(name, prediction=PREDICTION * label, reference=REFERENCE * label)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicecli.statistics._confusion.MAX_LABELS", 2)
        scene.refused(f"{_BATCH} -j 1 --confusion m.csv")
        scene.do(f"{_BATCH} -j 1 -o FILE.json")
    found = json.loads((scene.folder / "FILE.json").read_text())["summary"]["confusion"]
    assert [[0, 0, 6], [0, 1, 1], [0, 2, 1], [1, 1, 2], [2, 2, 2]] == found["cells"]


@TABLE("reports.curves.check_curves: Score maps of probabilities: dicecli soft.")
def curves_of_masks(scene):
    scene.folders()
    scene.do(_RESULTS)
    scene.refused("report results.json --curve c.csv")
    scene.npy("p.npy", PREDICTION * 0.5 + 0.25)
    scene.png("r.png", REFERENCE)
    scene.right(DICE, "soft p.npy r.png --curve c.csv", number="dice_at_half[1]")


@TABLE("reports.slices.check_slices: Save the masks that the maps")
def slices_of_maps(scene):
    scene.npy("p.npy", PREDICTION * 0.5 + 0.25)
    scene.pair()
    scene.do("soft p.npy r.png -o results.json")
    scene.refused("report results.json --per-slice s.csv")
    scene.right(DICE, "score p.png r.png --per-slice s.csv")


@TABLE("reports.slices.check_slices: Score the masks again with --per-slice")
def slices_that_were_not_counted(scene):
    scene.pair()
    scene.do(f"{_SCORE} -o results.json")
    scene.refused("report results.json --per-slice s.csv")
    scene.right(DICE, f"{_SCORE} -o results.json --per-slice FILE.csv")
    scene.right(DICE, scored, per_slice=True)
    scene.works("report results.json --per-slice s.csv")


@TABLE("reports.exporters.png.check: Install the extra: pip install")
def a_picture_without_matplotlib(scene):
    scene.npy("p.npy", PREDICTION * 0.5 + 0.25)
    scene.png("r.png", REFERENCE)
    missing = following.module_is_missing("matplotlib")
    try:
        scene.refused("soft p.npy r.png --curve c.png")
        scene.right(DICE, "soft p.npy r.png --curve FILE.csv", number="dice_at_half[1]")
    finally:
        missing.undo()


@TABLE("reports.gates.parts: Write dice=0.8, iou@micro=0.7,")
def no_gate(scene):
    scene.folders()
    scene.text("l.json", {"labels": {"0": "background", "1": "liver"}})
    ask = f"{_BATCH} --labels l.json"
    hint = scene.refused(f"{ask} --fail-under dice")
    for gate, value in (("dice=0.8", DICE), ("iou@micro=0.7", _IOU), ("dice[liver]=0.9", DICE), ("min:dice[liver]=0.5", DICE)):  # fmt: skip
        assert gate in hint
        gated(scene, value, gate, command=ask)


@TABLE("reports.gates.parse: Gate a metric that has a")
def a_gate_without_direction(scene):
    scene.folders()
    scene.refused(f"{_BATCH} --fail-under prevalence=0.5")
    assert "better" in scene.works("metrics dice")
    gated(scene, DICE, "dice=0.5")


@TABLE("reports.gates.parse: Write … '…'.")
def a_gate_of_the_other_direction(scene):
    scene.folders()
    for option, gate, value in (
        ("under", "fnr=0.5", 0.0),
        ("over", "dice=0.5", DICE),
        ("over", "max:dice[1]=0.5", DICE),
    ):
        hint = scene.refused(f"{_BATCH} --fail-{option} {gate}")
        written, fitting = shlex.split(hint.removeprefix("Write ").rstrip("."))
        assert written in options_of("batch")
        gated(scene, value, fitting, written)


@TABLE(
    "reports.gates.parts: Ask it of every case: --fail-over",
    "reports.gates.parts: Ask it of every case: --fail-under",
)
def a_gate_of_what_has_no_averages(scene):
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        (scene.folder / side).mkdir()
        scene.nii(f"{side}/a.nii.gz", array[..., None], affine=np.diag([2, 2, 2, 1]))
    assert scene.do(f"{_BATCH} -o old.json").code == 0
    asked, is_met = ["--fail-over volume_error_mm3=9", "--baseline old.json --max-drop volume_error_mm3=9"], 0
    with pytest.MonkeyPatch.context() as patch:
        if "under" in scene.place.name:
            sized, is_met = replace(resolve("volume_error_mm3"), better="higher"), 1
            patch.setattr("dicecli.reports.asked.resolve", lambda _: sized)
            asked = ["--fail-under volume_error_mm3=9"]
        (hint,) = {scene.refused(f"{_BATCH} {each}") for each in asked}
        gate = hint.removeprefix("Ask it of every case: ").rstrip(".")
        # The prediction has a voxel of 8 mm3 too much.
        assert scene.do(f"{_BATCH} {gate}").code == is_met
        assert scene.do(f"{_BATCH} {gate.replace('=9', '=7')}").code == 1 - is_met


@TABLE("reports.gates.check_asked_for: Gate a metric of")
def a_gate_of_the_other_kind(scene):
    scene.folders()
    scene.refused(f"{_BATCH} --fail-over brier=0.1")
    assert "dice" in scene.works("metrics")
    gated(scene, DICE, "dice=0.5")


@TABLE("reports.gates.check_asked_for: Add -m …, and the others")
def a_gate_of_what_is_not_measured(scene):
    scene.folders()
    expected = scene.do(f"{_BATCH} -m centre_distance").report.look_up("centre_distance").value
    hint = scene.refused(f"{_BATCH} --fail-over centre_distance[1]=2")
    assert hint == "Add -m centre_distance, and the others to be shown: -m dice -m iou."
    ask = f"{_BATCH} -m centre_distance -m dice -m iou"
    gated(scene, expected, "centre_distance[1]=2", "--fail-over", ask)


@TABLE("reports.gates.check_asked_for: Add -m ….")
def a_gate_of_a_number_that_is_not_measured(scene):
    """No metric of ours has a number for which it is measured: one of a package stands in."""
    scene.folders()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "dicecli.reports.gates.measured_for",
            lambda metric: "beta" if metric.name.startswith("fbeta") else None,
        )
        patch.setattr(
            "dicecli.reports.gates.arguments_of",
            lambda metrics, _: {"beta": {2.0}} if "fbeta_2" in (metrics or ()) else {},
        )
        hint = scene.refused(f"{_BATCH} --fail-under fbeta_2=0.5")
        added = hint.removeprefix("Add ").rstrip(".")
        gated(scene, 10 / 11, "fbeta_2=0.5", command=f"{_BATCH} {added}")


@TABLE("reports.gates._check_range: Scores are shares, not percentages:")
def a_gate_in_per_cent(scene):
    scene.folders()
    hint = scene.refused(f"{_BATCH} --fail-under dice=80")
    gate = hint.partition("'")[2].partition("'")[0]
    assert gate == "dice=0.8"
    gated(scene, DICE, gate)


@TABLE("reports.gates._check_range: Write a limit within that.")
def a_gate_out_of_range(scene):
    scene.folders()
    scene.refused(f"{_BATCH} --fail-under dice=-1")
    gated(scene, DICE, "dice=1")


@TABLE("reports.lengths._mismatch: Score cases of one unit in")
def lengths_of_two_units(scene):
    scene.folders("a")
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.tif(f"{side}/b.tif", array)
    ask = f"{_BATCH} -m dice -m centre_distance"
    scene.refused(ask)
    scene.right(DICE, f"{_BATCH} -m dice")  # without the lengths
    assert "EPSG:32632" in scene.do("inspect p/b.tif").text
    for side in "pr":
        (scene.folder / side / "b.tif").unlink()
    scene.right(DICE, ask)


@TABLE("reports.lengths._mismatch: Name the metric without its unit,")
def lengths_in_a_unit_that_there_is_not(scene):
    scene.folders("a")
    asked = "score p/a.png r/a.png -m hd95_mm,dice"
    scene.refused(asked)
    scene.right(DICE, asked.replace("_mm", ""))
    scene.refused_again(f"{asked} --spacing voxel")
    scene.right(DICE, f"{asked} --spacing voxel".replace("_mm", "_px"))
    assert "spacing" not in scene.works("inspect p/a.png")


@TABLE("reports.measured.check_measured: Score the masks again with -m")
def a_number_that_was_not_measured(scene):
    scene.folders()
    scene.do(_RESULTS)
    hint = scene.refused("explain results.json centre_distance[1]")
    added = hint[hint.index("-m ") :].partition(":")[0]
    scene.works(f"{_RESULTS} {added}")
    assert "px" in scene.works("explain results.json centre_distance[1]")


@TABLE("reports.suggestions._of_void: 255 is in the reference alone,")
def void_in_the_reference(scene):
    """Leave it out: the number that is said is what the option gives."""
    scene.pair(np.array([[0, 1], [1, 1]]), np.array([[0, 1], [1, 255]]))
    said = scene.noted(_SCORE)
    then = float(said.rpartition(" instead of ")[0].rpartition(" is ")[2])
    assert then == 1.0
    scene.right(then, f"{_SCORE} --ignore-label 255")


@TABLE("reports.suggestions._of_nodata: reference: nodata, which is also the")
def nodata_as_background(scene):
    """Leave out what is nodata: the note gives macro Dice of what is left."""
    for side, array in (("p", [[10, 20, 10], [20, 10, 20]]), ("r", [[0, 0, 10], [20, 10, 20]])):
        scene.tif(f"{side}.tif", np.array(array, np.uint8), nodata=0)
    scene.noted("score p.tif r.tif")
    scene.right(1.0, "score p.tif r.tif --nodata ignore")


@TABLE("reports.advice._one_hot: the layers of each mask add")
def one_hot_layers(scene):
    """Read the layers as the labels that they are: the background leaves the averages."""
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.nii(f"{side}.nii.gz", np.stack([1 - array, array], -1)[:, :, None])
    scene.noted("score p.nii.gz r.nii.gz")
    scene.right(DICE, "score p.nii.gz r.nii.gz --argmax")


@TABLE("reports.layered._mismatch: Score cases of one kind in")
def layers_and_maps_in_a_run(scene):
    """To the letter --region NAME=1,2,3 is one region for two layers; one for each is right, and so are two runs."""
    layers(scene)
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.nii(f"{side}/b.nii.gz", array[..., None])
    scene.refused(_BATCH)
    scene.refused_again(f"{_BATCH} --region NAME=1,2,3")
    found = scene.right(DICE, f"{_BATCH} --region one=1 --region two=1", number="dice@macro-regions")
    assert len(found.scored) == 2
    for side in "pr":
        (scene.folder / side / "b.nii.gz").unlink()
    scene.right(DICE, _BATCH, number="dice@macro-regions")


@TABLE("reports.notes._on_255: 255 is read as label 1")
def void_in_some_cases(scene):
    """Save the binary masks as 0 and 1, and leave 255 out as void; or declare it as one label of all."""
    void = np.where(PREDICTION > REFERENCE, 255, REFERENCE)
    scene.folders("binary", prediction=PREDICTION * 255, reference=REFERENCE * 255)
    scene.folders("void", prediction=PREDICTION, reference=void)
    scene.noted(_BATCH)
    scene.text("l.json", {"labels": {"0": "background", "1": "liver", "255": "other"}})
    found = scene.do(f"{_BATCH} --labels l.json").report
    assert [DICE, DICE] == [found.value("dice", "void", 1), found.value("dice", "binary", 255)]
    scene.folders("binary", prediction=PREDICTION, reference=REFERENCE)
    found = scene.do(f"{_BATCH} --ignore-label 255").report
    assert [DICE, 1.0] == [found.value("dice", case, 1) for case in ("binary", "void")]


@TABLE("reports.pages.statistics.chosen: The … of … labels with")
def many_labels(scene):
    reference = np.arange(42, dtype=np.uint8).reshape(6, 7)
    scene.folders(prediction=np.where(reference % 2, reference, 0), reference=reference)
    scene.noted(f"{_BATCH} -f table")
    shown = scene.works(f"{_BATCH} -f table -v")
    assert all(f" {label} " in shown for label in range(1, 42))
    scene.works(f"{_BATCH} -f csv --summary FILE.csv")
    assert len((scene.folder / "FILE.csv").read_text(encoding="utf-8").splitlines()) > 41


@TABLE("reports.said._background: label … is left out of")
def the_background_of_masks(scene):
    scene.pair()
    scene.noted(f"{_SCORE} -f table -v")
    scene.right((DICE + 6 / 7) / 2, f"{_SCORE} --include-background")


@TABLE("reports.said._background: …: left out of tables and")
def the_background_of_maps(scene):
    p = PREDICTION * 0.5 + 0.25
    scene.npy("p.npy", np.stack([1 - p, p]))
    scene.png("r.png", REFERENCE)
    scene.noted("soft p.npy r.png -f table -v")
    scene.right((DICE + 6 / 7) / 2, "soft p.npy r.png --include-background", number="dice_argmax")


@TABLE("reports.reading_back.read_report: Give the JSON", "reports.reading_back.from_dict: Give the JSON")
def no_record(scene):
    scene.folders()
    scene.pair()
    bad = ["no JSON"] if "read_report" in scene.place.name else ['{"schema": 9}', '{"schema": 2}']
    for content in bad:
        scene.text("x.json", content)
        scene.refused("report x.json")
        scene.works(f"{_BATCH} -o summary.nnunet.json")
        assert "0.8" in scene.works("report summary.nnunet.json")
        scene.works(_RESULTS)
        assert "0.8" in scene.works("report results.json")
        printed = scene.works(f"{_SCORE} -f json")
        scene.text("x.json", printed)
        assert "0.8" in scene.works("report x.json")


@TABLE("reports.reading_back.from_dict: Score the maps again: this")
def a_record_of_old_maps(scene):
    scene.text("old.json", {"schema": "soft-1", "cases": []})
    scene.refused("report old.json")
    scene.npy("p.npy", PREDICTION * 0.5 + 0.25)
    scene.png("r.png", REFERENCE)
    scene.right(DICE, "soft p.npy r.png -o new.json", number="dice_at_half[1]")
    scene.works("report new.json")


@TABLE("reports.reading_back.from_dict: It was written with a package,")
def a_record_with_a_metric_of_nobody(scene):
    record = scored(metrics=["dice"]).to_dict()
    record["settings"]["metrics"] = ["dice", "dice_of_a_package"]
    scene.refused(from_dict, record)
    record["settings"]["metrics"] = ["dice"]  # where it is installed, the name is one
    scene.gives(DICE, lambda: from_dict(record).look_up("dice"))


@TABLE("reports.merging.merged: Reports merge when they are shards")
def shards_of_other_options(scene):
    for name, option in (("a", "--undefined one"), ("b", "")):
        scene.folders(name)
        scene.do(f"{_BATCH} -o {name}.json {option}")
        for side in "pr":
            (scene.folder / side / f"{name}.png").unlink()
    scene.refused("report a.json b.json")
    scene.folders("a")
    scene.do(f"{_BATCH} -o a.json")
    assert "2 cases" in scene.works("report a.json b.json") or scene.hint


@TABLE("reports.merging.merged: Every case must be scored once.")
def a_case_in_two_shards(scene):
    scene.folders("a")
    scene.do(f"{_BATCH} -o a.json")
    scene.folders("b")
    scene.do(f"{_BATCH} -o ab.json")
    scene.refused("report a.json ab.json")
    for side in "pr":
        (scene.folder / side / "a.png").unlink()
    scene.do(f"{_BATCH} -o b.json")
    scene.works("report a.json b.json -f json -o both.json")
    both = json.loads((scene.folder / "both.json").read_text(encoding="utf-8"))
    assert from_dict(both).look_up("dice").value == DICE


@TABLE("reports.run._named: Did you mean")
def a_case_with_a_slip(scene):
    report = scored()
    scene.refused(report.value, "dice", "arays", 1)
    scene.gives(DICE, report.value, "dice", scene.meant(), 1)


@TABLE("reports.run._named: The names are those of report.scored:")
def a_case_that_there_is_not(scene):
    report = scored()
    scene.refused(report.value, "dice", "nobody", 1)
    for name in [each.case.name for each in report.scored]:
        scene.gives(DICE, report.value, "dice", name, 1)


@TABLE("reports.report._exporter: It has:")
def a_part_that_an_exporter_lacks(scene):
    report = scored()
    parts = scene.refused(report.render, "junit", "summary").removeprefix("It has: ").rstrip(".").split(", ")
    for part in parts:
        scene.works(report.render, "junit", part)


@TABLE("reports.writing.check_writable: Give the name of a file")
def an_output_that_is_a_folder(scene):
    scene.pair()
    (scene.folder / "out.csv").mkdir()
    scene.refused(f"{_SCORE} -o out.csv")
    scene.right(DICE, f"{_SCORE} -o out.csv/scores.csv")


@TABLE("reports.writing.followed: Leave it out of the name")
def an_output_whose_name_has_nul(scene):
    scene.pair()
    scene.refused(lambda: dicecli.score([[0, 1]], [[1, 1]], output="out\0.csv"))
    scene.right(DICE, f"{_SCORE} -o out.csv")


@TABLE("reports.writing.check_writable: Give another name.")
def an_output_that_is_a_pipe(scene):
    scene.pair()
    os.mkfifo(scene.folder / "out.csv")
    scene.refused(f"{_SCORE} -o out.csv")
    scene.right(DICE, f"{_SCORE} -o other.csv")


@TABLE("reports.writing.followed: Give another path.")
def an_output_whose_name_is_too_long(scene):
    scene.pair()
    scene.refused(f"{_SCORE} -o {'n' * 300}.csv")
    scene.right(DICE, f"{_SCORE} -o other.csv")


@TABLE("reports.writing.check_writable: Make it first, or give another.")
def an_output_in_no_folder(scene):
    scene.pair()
    scene.refused(f"{_SCORE} -o out/scores.csv")
    scene.right(DICE, f"{_SCORE} -o scores.csv")
    (scene.folder / "out").mkdir()
    scene.right(DICE, f"{_SCORE} -o out/scores.csv")


@TABLE(
    "reports.writing.check_writable: Give another name, or change its",
    "reports.writing.check_writable: Give a folder that can be",
)
def an_output_that_is_forbidden(scene):
    scene.pair()
    scene.text("scores.csv", "old")

    def no_place(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.MonkeyPatch.context() as patch:
        if "folder" in scene.place.name:
            patch.setattr(writing.tempfile, "TemporaryFile", no_place)
        else:
            patch.setattr(writing.os, "access", lambda *_: False)
        scene.refused(f"{_SCORE} -o scores.csv")
        if "folder" not in scene.place.name:
            scene.right(DICE, f"{_SCORE} -o other.csv")
    scene.right(DICE, f"{_SCORE} -o scores.csv")


@TABLE(
    "reports.writing.write: What was there before is untouched.",
    "reports.writing.write: The new file is there, whole,",
)
def a_disk_that_is_full(scene):
    scene.pair()
    scene.text("scores.csv", "old")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            writing,
            *(("sync_folder", full) if "new file" in scene.place.name else ("_give_usual_mode", full)),
        )
        scene.refused(f"{_SCORE} -o scores.csv")
    is_old = (scene.folder / "scores.csv").read_text(encoding="utf-8") == "old"
    assert is_old is ("new file" not in scene.place.name)
    scene.right(DICE, f"{_SCORE} -o scores.csv")
    scene.right(DICE, f"{_SCORE} -o other.csv")


@TABLE("reports.writing._check_links: Give another path; or, where that")
def a_link_in_a_folder_of_all(scene):
    scene.pair()
    (scene.folder / "all").mkdir()
    (scene.folder / "all").chmod(0o1777)
    (scene.folder / "all" / "o.csv").symlink_to("../it's mine.csv")
    path = shlex.split(scene.refused(f"{_SCORE} -o all/o.csv").partition("leads to: ")[2])[0]
    scene.right(DICE, f"{_SCORE} -o other.csv")
    scene.right(DICE, f"{_SCORE} -o {shlex.quote(path)}")
    assert (scene.folder / "it's mine.csv").read_text(encoding="utf-8")


@TABLE("reports.overwriting.check_apart: Give each a file of its")
def two_outputs_of_one_file(scene):
    scene.pair()
    scene.refused(f"{_SCORE} -o scores.csv --summary ./scores.csv")
    scene.right(DICE, f"{_SCORE} -o scores.csv --summary summary.csv")


@TABLE("reports.overwriting._check_read: Give another name for what is")
def an_output_that_is_read(scene):
    scene.pair()
    scene.text("l.json", {"labels": {"0": "background", "1": "liver"}})
    scene.refused(f"{_SCORE} --labels l.json -o l.json")
    scene.right(DICE, f"{_SCORE} --labels l.json -o scores.json")
    for name in ("one", "all"):
        scene.works(f"{_SCORE} -o {name}.json -f csv")
    scene.refused("report one.json all.json -o all.json")
    scene.works("report one.json -o all.json")


@TABLE("reports.overwriting.check_folders: Write it outside of that folder")
def an_output_among_masks(scene):
    pytest.importorskip("matplotlib")
    scene.folders("a")
    scene.refused(f"{_BATCH} --confusion r/c.png")
    scene.right(DICE, f"{_BATCH} --confusion r/c.csv")
    scene.right(DICE, f"{_BATCH} --confusion c.png")
    scene.right(DICE, _BATCH)


@TABLE("reports.overwriting._of_a_file: Put what a file of options")
def an_output_of_a_configuration_that_is_read(scene):
    pytest.importorskip("matplotlib")
    scene.pair()
    scene.folders()
    for text, words in (
        ('output = "s.csv"\nsummary = "s.csv"\n', _SCORE),
        ('output = "s.csv"\n', f"{_SCORE} --summary s.csv"),
        ('output = "l.json"\nlabels = "l.json"\n', _SCORE),
        ('confusion = "p/a.png"\n', "batch p r"),
        ('output = "l.json"\n', f"{_SCORE} --labels l.json"),
    ):
        scene.text("l.json", {"labels": {"0": "background", "1": "liver"}})
        scene.text("dicecli.toml", text)
        hint = scene.refused(words)
        option = hint.partition("elsewhere: ")[2].partition(";")[0]
        scene.right(DICE, f"{words} {option}")
        scene.right(DICE, f"{words} {hint.rpartition(' ')[2].rstrip('.')}")


@TABLE("reports.overwriting.check_apart: Send … elsewhere, or give another")
def an_output_that_standard_output_goes_to(scene):
    scene.pair()
    with (scene.folder / "scores.csv").open("wb") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(overwriting, "_streams", lambda: [(file.fileno(), "standard output")])
        scene.refused(f"{_SCORE} -o scores.csv")
        scene.right(DICE, f"{_SCORE} -o other.csv")
    scene.right(DICE, f"{_SCORE} -o scores.csv")


@TABLE("reports.writing.append: Give another path.")
def a_summary_of_github_that_is_a_folder(scene):
    scene.folders()

    usual = writing.Path.open

    def full(path, *given, **options):
        if path.name == "full.md":
            raise OSError(errno.ENOSPC, "No space left on device")
        return usual(path, *given, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_STEP_SUMMARY", str(scene.folder / "full.md"))
        with patch.context() as disk:
            disk.setattr(writing.Path, "open", full)
            scene.refused(f"{_BATCH} --github")
        patch.setenv("GITHUB_STEP_SUMMARY", str(scene.folder / "summary.md"))
        scene.works(f"{_BATCH} --github")
    assert "0.8" in (scene.folder / "summary.md").read_text(encoding="utf-8")


@TABLE("reports.bound.check_has_row: Name it there, too: --only")
def a_number_of_a_label_without_a_row(scene):
    scene.folders(reference=np.array([[0, 0, 2], [1, 1, 0]], np.uint8))
    hint = scene.refused(f"{_BATCH} --only 1 --fail-under dice[2]=0.5")
    (words,) = shlex.split(hint.partition(" --only ")[2].partition(";")[0])
    gated(scene, 0, "dice[2]=0.5", command=f"{_BATCH} --only {words}")
    gated(scene, DICE, "dice[1]=0.5", command=f"{_BATCH} --only 1")


@TABLE("reports.measured.check_rows_measured: Score the masks again")
def distances_of_a_label_that_was_left_out(scene):
    arrays = np.array([[[0, 1, 2], [1, 1, 0]], [[0, 0, 2], [1, 1, 0]]], np.uint8)
    scene.folders(prediction=arrays[0], reference=arrays[1])
    scene.do(f"{_BATCH} --only 1 -m dice,hd95 -o r.json")
    scene.refused("report r.json --only 1,2")
    scene.works("report r.json --only 1,2 -m dice")
    # Of label 1 two pixels are 0 and one is 1 pixel away.
    scene.right(0.9 / 2, f"{_BATCH} --only 1,2 -m dice,hd95", number="hd95")


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []
