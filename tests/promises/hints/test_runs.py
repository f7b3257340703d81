"""Hints on pairing, runs, workers and their journal, followed to the letter."""

from __future__ import annotations

import asyncio
import errno
import json
import os

import following
import make
import numpy as np
import pytest
from following import DICE, PREDICTION, REFERENCE, Table

import dicecli
from dicecli.records.cases import Case
from dicecli.runs import batch as runs_batch
from dicecli.runs import journal, listing, lost
from dicecli.runs.executors.dask import _cluster, tasks
from dicecli.runs.executors.processes import _crew
from dicecli.runs.scoring import make_settings

TABLE = Table(
    "runs",
    unfollowed={
        "runs.executors.dask.tasks.run: Look at what it was": "of a function that is no case: tests/runs/executors",
        "runs.executors.processes._crew.bury: Look at what it was": "likewise",
    },
)
_BATCH = "batch p r"
P = PREDICTION * 0.5 + 0.25
_HALF = "dice_at_half[1]"


def raised(error):
    raise error


@TABLE("runs.finding.find_pairs: Give one of them.")
def pairs_and_patterns(scene):
    scene.folders("a")
    scene.text("pairs.csv", "prediction,reference\np/a.png,r/a.png\n")
    scene.refused("batch --pairs pairs.csv --prediction-pattern '{case}.png'")
    scene.right(DICE, "batch --pairs pairs.csv")
    scene.right(DICE, f"{_BATCH} --prediction-pattern '{{case}}.png'")


@TABLE(
    "runs.laid_out.lay_out: Give one of them.",
    "runs.laid_out.lay_out: Give both: predictions, then references.",
)
def a_layout_of_no_folders(scene):
    scene.folders("a")
    scene.text("pairs.csv", "prediction,reference\np/a.png,r/a.png\n")
    if "one" in scene.place.name:
        scene.refused("batch --pairs pairs.csv --layout voc")
        scene.right(DICE, "batch --pairs pairs.csv")
    else:
        scene.refused("batch p --layout voc")
    scene.right(DICE, f"{_BATCH} --layout voc")


@TABLE("runs.laid_out.lay_out: Leave out --layout: each tile", but={"--layout": "it is to be left out"})
def a_layout_of_tiles(scene):
    tiles_of(scene, PREDICTION, PREDICTION[:, :2])
    for sides in ("p r.tif", "r.tif p"):
        scene.refused(f"batch {sides} --layout voc")
        scene.right(1.0, f"batch {sides}")


@TABLE("runs.laid_out._no_match: It is of …; its …s", but={"--…-pattern": "its side is printed"})
def a_layout_of_other_folders(scene):
    for side, array in (("prediction", PREDICTION), ("reference", REFERENCE)):
        scene.folders("a")
        folder = scene.folder / side[0]
        (folder / "a.png").unlink()
        make.geotiff(folder / "a.tiff", array, crs=None, transform=None)
        hint = scene.refused(f"{_BATCH} --layout nnunet")
        assert f"--{side}-pattern" in hint
        assert "labelsTs" in hint
        scene.right(DICE, f"{_BATCH} --layout nnunet --{side}-pattern '{{case}}.tiff'")
        scene.right(DICE, _BATCH)
        (folder / "a.tiff").unlink()


def fields(scene):
    """Write cases, and of each what is inside of its field: all but the pixel in which the masks differ."""
    scene.folders("a")
    (scene.folder / "w").mkdir()
    scene.png("w/a.png", PREDICTION == REFERENCE)


@TABLE("runs.finding._with_fields: Give one of them: --within")
def a_field_and_a_pattern_of_fields(scene):
    fields(scene)
    scene.refused(f"{_BATCH} --within w/a.png --within-pattern 'w/{{case}}.png'")
    scene.right(1.0, f"{_BATCH} --within w/a.png")
    scene.right(1.0, f"{_BATCH} --within-pattern 'w/{{case}}.png'")


@TABLE("runs.finding._with_fields: Put … where")
def a_pattern_that_is_one_field(scene):
    fields(scene)
    hint = scene.refused(f"{_BATCH} --within-pattern w/a.png")
    scene.right(1.0, f"{_BATCH} {hint[hint.index('--within') :].removesuffix(' instead.')}")
    scene.right(1.0, f"{_BATCH} --within-pattern 'w/{{case}}.png'")


@TABLE("runs.finding._with_fields: For one of each case")
def one_field_that_is_a_pattern(scene):
    fields(scene)
    hint = scene.refused(f"{_BATCH} --within 'w/{{case}}.png'")
    scene.right(1.0, f"{_BATCH} {hint[hint.index('--within') :].removesuffix(' instead.')}")


@TABLE("runs.finding._with_fields: Give one of them: leave out")
def fields_by_option_and_by_column(scene):
    fields(scene)
    scene.text("pairs.csv", "prediction,reference,within\np/a.png,r/a.png,w/a.png\n")
    for option in ("--within w/a.png", "--within-pattern 'w/{case}.png'"):
        scene.refused(f"batch --pairs pairs.csv {option}")
        scene.right(1.0, "batch --pairs pairs.csv")
        scene.text("other.csv", "prediction,reference,case\np/a.png,r/a.png,a\n")
        scene.right(1.0, f"batch --pairs other.csv {option}")


@TABLE("runs.checking.check_field: Give a path")
def what_cannot_be_a_field(scene):
    scene.pair()
    pair = [scene.folder / name for name in ("p.png", "r.png")]
    scene.refused(dicecli.score, *pair, within=b"w")
    scene.right(1.0, dicecli.score, *pair, within=PREDICTION == REFERENCE)
    scene.right(DICE, dicecli.score, *pair)


@TABLE("runs.provenance.date_of: Set it to a whole number")
def a_day_that_is_none(scene):
    scene.pair()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "yesterday")
        hint = scene.refused("score p.png r.png")
        name, _, moment = next(word for word in hint.split() if "=" in word).rstrip(";").partition("=")
        patch.setenv(name, moment)
        scene.right(DICE, "score p.png r.png")
        patch.delenv(name)
        scene.right(DICE, "score p.png r.png")


@TABLE("runs.conventions._check: Write … instead.")
def a_number_that_a_tool_calls_by_another_name(scene):
    scene.pair()
    hint = scene.refused("score p.png r.png -m assd --like panoptica")
    ask = hint.removeprefix("Write ").removesuffix(" instead.")
    # A pixel of the prediction's three lies beside the reference's two.
    scene.right((0 + 1 / 3) / 2, f"score p.png r.png {ask} --like panoptica", number="masd[1]")
    hint = scene.refused("score p.png r.png -m boundary --tolerance 0px --like panoptica")
    ask = hint.removeprefix("Write ").removesuffix(" instead.")
    for number, right in (("masd[1]", (0 + 1 / 3) / 2), ("nsd_0px[1]", (1 + 2 / 3) / 2)):
        scene.right(right, f"score p.png r.png {ask} --like panoptica", number=number)


@TABLE("runs.conventions._check: Leave out …, or --like ….")
def a_number_that_is_wrong_in_a_tool(scene):
    scene.pair()
    scene.refused("score p.png r.png -m accuracy --like gcm")
    scene.right(5 / 6, "score p.png r.png -m accuracy", number="accuracy[1]")
    scene.right(DICE, "score p.png r.png --like gcm")


@TABLE("runs.finding.find_pairs: Give both, or a CSV that")
def one_folder(scene):
    scene.folders("a")
    scene.text("pairs.csv", "prediction,reference\np/a.png,r/a.png\n")
    scene.refused("batch p")
    scene.right(DICE, _BATCH)
    scene.right(DICE, "batch --pairs pairs.csv")
    (scene.folder / "pairs.csv").unlink()
    scene.refused_again("batch --pairs pairs.csv")


@TABLE("runs.batch._pending: Go on with it: --resume.")
def a_run_that_was_stopped(scene):
    scene.folders("a", "b", "c")
    scene.bytes("p/b.png", b"")
    scene.refused(f"{_BATCH} --strict -o scores.json")
    scene.png("p/b.png", PREDICTION)
    scene.right(DICE, f"{_BATCH} --strict -o scores.json --resume")


@TABLE("runs.batch._guarded: Try again with fewer", "runs.batch._guarded: This is a defect")
def a_case_that_cannot_be_counted(scene):
    scene.folders("a")
    error = MemoryError() if "fewer" in scene.place.name else RuntimeError("a defect")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs_batch, "result_of", lambda *_: raised(error))
        scene.refused(_BATCH)
    scene.right(DICE, f"{_BATCH} --jobs 1")
    scene.right(DICE, "score p/a.png r/a.png")


@TABLE(
    "runs.executors.dask._cluster.connected: Install it:",
    "runs.executors.dask._cluster.connected: Is it running,",
)
def no_dask(scene):
    """Without Dask, or a cluster that answers, the run goes as usual where neither is asked for."""
    scene.folders("a")
    ask = f"{_BATCH} --executor dask --scheduler tcp://127.0.0.1:9"
    if "Install" in scene.place.name:
        missing = following.module_is_missing("distributed")
        try:
            scene.refused(ask)
        finally:
            missing.undo()
    else:
        distributed = pytest.importorskip("distributed")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(distributed, "Client", lambda *_, **__: raised(OSError("no answer")))
            scene.refused(ask)
    scene.right(DICE, _BATCH)


@TABLE(
    "runs.executors.dask._cluster.failure: Often it is memory:",
    "runs.executors.dask._cluster.failure: They need dicecli",
)
def dask_workers_that_fail(scene):
    distributed = pytest.importorskip("distributed")
    scene.folders("a")
    is_death = "memory" in scene.place.name
    error = distributed.KilledWorker.__new__(distributed.KilledWorker) if is_death else ImportError("dicecli")
    scene.refused(lambda: raised(_cluster.failure(error)))
    scene.right(DICE, f"{_BATCH} --jobs 1")


@TABLE("runs.executors.dask._cluster.failure: Start it again. A batch")
def a_cluster_that_goes_away(scene):
    pytest.importorskip("distributed")
    scene.folders("a", "b")
    scene.refused(lambda: raised(_cluster.failure(asyncio.CancelledError())))
    scene.bytes("p/b.png", b"")
    scene.do(f"{_BATCH} -o scores.json")
    scene.png("p/b.png", PREDICTION)
    scene.right(DICE, f"{_BATCH} -o scores.json --resume")


@TABLE("runs.executors.dask._cluster._checked: It is like tcp://host:8786,")
def no_address(scene):
    pytest.importorskip("distributed")
    scene.folders("a")
    hint = scene.refused(f"{_BATCH} --executor dask --scheduler host")
    for address in hint.removeprefix("It is like ").rstrip(".").split(", or "):
        assert _cluster._checked(address) == address
    scene.right(DICE, _BATCH)


@TABLE(
    "runs.executors.dask._cluster._no_worker: Leave out --executor dask, or",
    but={"--scheduler": "there is no cluster here", "--executor": "it is to be left out"},
)
def no_local_cluster(scene):
    pytest.importorskip("distributed")
    scene.folders("a")
    scene.pair()
    for ask in (_BATCH, "score p.png r.png"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_cluster, "Fresh", lambda *_, **__: raised(OSError("no fork")))
            if ask == _BATCH:
                scene.refused(f"{ask} --executor dask")
        scene.right(DICE, ask)
    assert tasks.run


@TABLE("runs.executors.processes._crew.go_on_with: Run with --jobs 1, in this")
def no_worker(scene):
    scene.folders("a", "b")
    scene.refused(_crew.Crew.go_on_with, None, [], "died")
    scene.right(DICE, f"{_BATCH} --jobs 1")


def stopped(scene):
    """Leave a journal in which one of two cases is done, the other having no readable prediction."""
    scene.folders()
    scene.bytes("p/b.png", b"")
    return scene.do(f"{_BATCH} -o scores.csv")


@TABLE("runs.running.journal_beside: Give the same -o FILE")
def resume_without_output(scene):
    scene.folders()
    scene.refused(f"{_BATCH} --resume")
    scene.right(DICE, f"{_BATCH} --resume -o scores.csv")


@TABLE("runs.running._settle: … keeps what is done; --resume")
def a_case_failed(scene):
    scene.folders()
    scene.bytes("p/b.png", b"")
    scene.noted(f"{_BATCH} -o scores.csv")
    scene.png("p/b.png", PREDICTION)
    scene.right(DICE, f"{_BATCH} -o scores.csv --resume")


@TABLE("runs.running.journal_beside: … is of an earlier run:")
def a_journal_is_there(scene):
    assert stopped(scene).code == 3
    scene.noted(f"{_BATCH} -o scores.csv --strict")
    scene.png("p/b.png", PREDICTION)
    scene.right(DICE, f"{_BATCH} -o scores.csv --resume")


@TABLE("runs.locked.open_alone: Delete it, or give another path.")
def a_journal_that_is_a_link(scene):
    scene.folders("a")
    path = scene.folder / "scores.csv.journal"
    path.symlink_to("mine")
    scene.refused(f"{_BATCH} -o scores.csv")
    scene.right(DICE, f"{_BATCH} -o other.csv")
    path.unlink()
    scene.right(DICE, f"{_BATCH} -o scores.csv")


@TABLE("runs.locked._lock: Move it away, or give another")
def a_journal_of_two_names(scene):
    scene.folders("a")
    (scene.folder / "mine").touch()
    path = scene.folder / "scores.csv.journal"
    path.hardlink_to(scene.folder / "mine")
    scene.refused(f"{_BATCH} -o scores.csv")
    scene.right(DICE, f"{_BATCH} -o other.csv")
    path.rename(scene.folder / "away")
    scene.right(DICE, f"{_BATCH} -o scores.csv")


@TABLE("runs.journal._said: Give a path in a folder")
def a_journal_that_cannot_be_made(scene):
    scene.folders("a")
    (scene.folder / "out").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            journal, "open_alone", lambda _: raised(PermissionError(errno.EACCES, "Permission denied"))
        )
        scene.refused(f"{_BATCH} -o out/scores.csv")
    scene.right(DICE, f"{_BATCH} -o scores.csv")


@TABLE(
    "runs.entries.read_entries: It is left as it is:", "runs.locked.check_regular: Give the path of a file."
)
def a_journal_that_is_none(scene):
    scene.folders("a")
    path = scene.folder / "scores.csv.journal"
    path.write_text("a diary\n", encoding="utf-8") if "read_entries" in scene.place.name else os.mkfifo(path)
    scene.refused(f"{_BATCH} -o scores.csv --resume")
    scene.right(DICE, f"{_BATCH} -o other.csv --resume")
    assert path.is_fifo() or path.read_text(encoding="utf-8") == "a diary\n"


@TABLE("runs.locked._lock: Wait until it has ended, or")
def a_journal_in_use(scene):
    scene.folders("a")
    other = journal.Journal.open(scene.folder / "scores.csv.journal", resume=False)
    scene.refused(f"{_BATCH} -o scores.csv")
    scene.right(DICE, f"{_BATCH} -o other.csv")
    other.close()
    scene.right(DICE, f"{_BATCH} -o scores.csv")


@TABLE("runs.journal._said: What it holds is kept: free")
def a_disk_that_is_full(scene):
    scene.folders("a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal.Journal, "_sync", lambda *_: raised(OSError(errno.ENOSPC, "No space left")))
        patch.setattr(journal, "_SYNC_S", -1.0)
        scene.refused(f"{_BATCH} -o scores.csv")
    scene.right(DICE, f"{_BATCH} -o scores.csv --resume")


@TABLE("runs.keywords._strange: Leave it out; … has it.")
def a_keyword_of_the_other_kind(scene):
    hint = scene.refused(dicecli.score, PREDICTION, REFERENCE, smooth=0.0)
    assert "dicecli.soft has it" in hint
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)
    scene.right(DICE, dicecli.soft, P, REFERENCE, smooth=0.0, number=_HALF)


@TABLE("runs.checking.check_name: Give a text, or leave it")
def a_name_that_is_none(scene):
    scene.refused(dicecli.score, PREDICTION, REFERENCE, name=3)
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE, name="3")
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)


@TABLE("runs.matrices.matrix_of: Give a square array of whole")
def a_matrix_that_is_none(scene):
    scene.refused(dicecli.from_matrix, [[3.5, 1.0], [0.0, 2.0]])
    scene.right(DICE, dicecli.from_matrix, [[3, 1], [0, 2]])
    matrix = dicecli.ConfusionMatrix.from_arrays(prediction=PREDICTION, reference=REFERENCE)
    scene.right(DICE, dicecli.from_matrix, matrix)
    scene.right(DICE, dicecli.from_matrix, matrix.counts(1))


@TABLE("runs.scoring.score_many: Give dicecli.make_settings(), with options as")
def settings_that_are_none(scene):
    cases = [dicecli.Case("a", PREDICTION, REFERENCE)]
    scene.refused(dicecli.score_many, cases, {"labels": "voc"})
    scene.right(DICE, dicecli.score_many, cases, dicecli.make_settings())


@TABLE("runs.scoring.score_many: Give a list of dicecli.Case('name', 'prediction.png',")
def cases_that_are_none(scene):
    settings = dicecli.make_settings()
    scene.refused(dicecli.score_many, [("a", PREDICTION, REFERENCE)], settings)
    scene.refused(dicecli.score_many, 3, settings)
    scene.right(DICE, dicecli.score_many, [dicecli.Case("a", PREDICTION, REFERENCE)], settings)


@TABLE("runs.naming.mask: Keep one of them, or give", but={"--…-pattern": "its side is printed"})
def two_files_of_a_case(scene):
    for side in ("prediction", "reference"):
        scene.folders("a")
        folder = scene.folder / side[0]
        make.geotiff(folder / "a.tif", REFERENCE, crs=None, transform=None)
        hint = scene.refused(_BATCH)
        pattern = hint[hint.index("'") + 1 : hint.rindex("'")]
        option = f"--{side}-pattern"
        assert option in hint
        expected = DICE if pattern.endswith("png") else {"prediction": 1.0, "reference": DICE}[side]
        scene.right(expected, f"{_BATCH} {option} '{pattern}'")
        (folder / "a.tif").unlink()
        scene.right(DICE, _BATCH)


@TABLE("runs.laid_out._check_read: Save them as …; or")
def a_reference_of_a_layout_in_a_format_that_is_not_read(scene):
    scene.folders("a", "b")
    (scene.folder / "r" / "b.png").rename(scene.folder / "r" / "b.mha")
    scene.refused(f"{_BATCH} --layout nnunet")
    found = scene.do(f"{_BATCH} --layout nnunet --reference-pattern '{{case}}.*'")
    assert found.code == 3
    scene.png("r/b.png", REFERENCE)
    (scene.folder / "r" / "b.mha").unlink()
    scene.right(DICE, f"{_BATCH} --layout nnunet")


@TABLE("runs.look_alikes.look_alikes: a prediction and a reference that")
def names_that_differ_by_case(scene):
    scene.folders("a")
    scene.png("p/b.png", PREDICTION)
    scene.png("r/B.png", REFERENCE)
    scene.noted(_BATCH)
    scene.text("pairs.csv", "prediction,reference\np/a.png,r/a.png\np/b.png,r/B.png\n")
    scene.right(DICE, "batch --pairs pairs.csv")
    (scene.folder / "p" / "b.png").rename(scene.folder / "p" / "B.png")
    scene.right(DICE, _BATCH)


@TABLE("runs.laying._look: Let each of {case} and {label}")
def a_pattern_that_repeats_a_placeholder_between_stars(scene):
    scene.folders("a" * 240, "b" * 240)
    other = "--reference-pattern '*{case}.png'"
    scene.refused(f"{_BATCH} --prediction-pattern '*{{case}}*{{case}}*{{case}}.png' {other}")
    scene.right(DICE, f"{_BATCH} --prediction-pattern '*{{case}}.png' {other}")


@TABLE("runs.naming.mask: Keep one of them in")
def two_files_of_a_case_where_another_has_none_of_that_kind(scene):
    """No pattern is proposed, since it would leave out the other case."""
    for side, other in (("prediction", "r"), ("reference", "p")):
        scene.folders("a", "c")
        folder = scene.folder / side[0]
        for name in "ab":
            make.geotiff(folder / f"{name}.tif", REFERENCE, crs=None, transform=None)
        make.png(scene.folder / other / "b.png", REFERENCE)
        assert "pattern" not in scene.refused(_BATCH)
        (folder / "a.tif").unlink()
        scene.right((2 * DICE + 1) / 3, _BATCH, number="dice@macro-imagewise")
        for each in scene.folder.glob("*/b.*"):
            each.unlink()


def tiles_of(scene, prediction, reference):
    """Write the left half of a prediction as the one tile of a folder, and the whole reference."""
    there = (10, 0, 6e5, 0, -10, 58e5)
    (scene.folder / "p").mkdir(exist_ok=True)
    make.geotiff(scene.folder / "p" / "a.tif", prediction[..., :2], transform=there)
    make.geotiff(scene.folder / "r.tif", reference, transform=there)


@TABLE(
    "runs.tiles.pair_tiles: Leave out --…-pattern",
    but={f"--{side}-pattern": "it is to be left out" for side in ("…", "prediction", "reference")},
)
def a_pattern_for_the_raster(scene):
    tiles_of(scene, PREDICTION, PREDICTION[:, :2])
    for first, second, side in (("p", "r.tif", "reference"), ("r.tif", "p", "prediction")):
        hint = scene.refused(f"batch {first} {second} --{side}-pattern '{{case}}.tif'")
        assert f"--{side}-pattern" in hint
        scene.right(1.0, f"batch {first} {second}")


@TABLE("runs.tiles._covered: ")
def what_no_tile_covers(scene):
    tiles_of(scene, PREDICTION, REFERENCE)
    scene.noted("batch p r.tif")
    scene.right(following.dice(PREDICTION[:, :2], REFERENCE[:, :2]), "batch p r.tif --uncovered ignore")


@TABLE("runs.listing.list_side: Suffixes that are read:")
def a_folder_without_masks(scene):
    scene.folders("a")
    (scene.folder / "p" / "a.png").rename(scene.folder / "p" / "a.dat")
    hint = scene.refused(_BATCH)
    assert ".png" in hint.removeprefix("Suffixes that are read: ").rstrip(".").split(", ")
    (scene.folder / "p" / "a.dat").rename(scene.folder / "p" / "a.png")
    scene.right(DICE, _BATCH)


@TABLE(
    "runs.listing.list_side: It stands for the whole path",
    "runs.listing.list_side: Put {case} where the name of",
)
def a_pattern_that_matches_nothing(scene):
    for side in "pr":
        (scene.folder / side / "deep").mkdir(parents=True)
    make.png(scene.folder / "p" / "deep" / "a_pred.png", PREDICTION)
    make.png(scene.folder / "r" / "deep" / "a.png", REFERENCE)
    bad = "{case}_pred" if "It stands" in scene.place.name else "*_pred.png"
    scene.refused(f"{_BATCH} --prediction-pattern '{bad}'")
    scene.right(DICE, f"{_BATCH} --prediction-pattern '{{case}}_pred.png'")
    scene.right(
        DICE, f"{_BATCH} --prediction-pattern '*/{{case}}_pred.png' --reference-pattern '*/{{case}}.png'"
    )


@TABLE("runs.listing._scan: Check its permissions.", "runs.listing._check_folder: Check the path")
def a_folder_that_cannot_be_read(scene):
    scene.folders("a")
    if "_scan" in scene.place.name:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                listing.os, "scandir", lambda _: raised(PermissionError(errno.EACCES, "Permission denied"))
            )
            scene.refused(_BATCH)
    else:
        scene.refused(f"batch {'a' * 300} r" if "and its" in scene.place.name else "batch q r")
    scene.right(DICE, _BATCH)


@TABLE("runs.listing._check_folder: Did you mean")
def a_folder_with_a_slip(scene):
    scene.folders("a")
    (scene.folder / "p").rename(scene.folder / "predictions")
    scene.refused("batch prediction r")
    scene.right(DICE, f"batch {scene.meant()} r")


@TABLE("runs.csv_rows.csv_rows: Did you mean")
def a_table_of_pairs_with_a_slip(scene):
    scene.folders("a")
    scene.text("pairs.csv", "prediction,reference\np/a.png,r/a.png\n")
    scene.refused("batch --pairs pair.csv")
    scene.right(DICE, f"batch --pairs {scene.meant()}")


@TABLE("runs.checking.check_given: Score every file")
def two_folders_for_files_in_python(scene):
    scene.folders()
    assert scene.refused(dicecli.soft, "p", "r").endswith("dicecli.batch('p', 'r', soft=True).")
    scene.refused_again(dicecli.batch, "p", "r", soft=True)  # of PNG there are no probabilities


@TABLE("runs.classes.check_complete: Make them, and name the files")
def a_class_without_a_file(scene):
    scene.folders("a", "b")
    (scene.folder / "p" / "b.png").unlink()
    scene.refused("score p r")
    scene.right(DICE / 2, "score p r --missing zero")
    scene.refused_again("score p r --missing skip")
    scene.right(DICE, "score p r --only a")
    scene.png("p/b.png", REFERENCE)
    scene.right((DICE + 1) / 2, "score p r")


@TABLE("runs.classes.check_complete: Make them, and name the files")
def a_class_that_each_side_writes_otherwise(scene):
    scene.folders("a", "b")
    (scene.folder / "p" / "b.png").rename(scene.folder / "p" / "B.png")
    scene.refused("score p r")
    assert "; 'B' and 'b' are two classes" in scene.do("score p r").text
    scene.right(DICE / 3, "score p r --missing zero")
    scene.refused_again("score p r --missing skip")
    (scene.folder / "p" / "B.png").rename(scene.folder / "p" / "b.png")
    scene.right(DICE, "score p r")


@TABLE("runs.pairing._check_cut: Let one way alone be left:")
def names_that_are_cut_in_several_ways(scene):
    scene.folders("a", "b")
    for case in ("a", "b"):
        (scene.folder / f"p/{case}.png").rename(scene.folder / f"p/x_{case}_1.png")
    scene.refused("batch p r --prediction-pattern '{case}_{label}.png'")
    for case in ("a", "b"):
        (scene.folder / "p" / case).mkdir()
        (scene.folder / f"p/x_{case}_1.png").rename(scene.folder / f"p/{case}/1.png")
    scene.right(DICE, "batch p r --prediction-pattern '{case}/{label}.png'")


@TABLE("runs.classes._one_each: Keep one of them in the")
def two_files_of_one_class(scene):
    scene.folders("a")
    scene.nii("p/a.nii", PREDICTION)
    scene.refused("score p r")
    (scene.folder / "p" / "a.nii").unlink()
    scene.right(DICE, "score p r")


@TABLE("runs.classes._directly: Give the folder that the masks")
def a_folder_above_the_classes(scene):
    for side in ("p", "r"):
        (scene.folder / side / "case").mkdir(parents=True)
        scene.png(f"{side}/case/a.png", {"p": PREDICTION, "r": REFERENCE}[side])
    folder = scene.refused("score p r/case").rpartition(": ")[2].rstrip(".")
    scene.right(DICE, f"score {folder} r/case")


@TABLE("runs.pairing.pair_folders: Save the channels of each case")
def classes_of_probabilities(scene):
    for name, array in (("p/1.npy", P), ("p/2.npy", P)):
        (scene.folder / "p").mkdir(exist_ok=True)
        scene.npy(name, array)
    scene.folders("a")
    scene.refused("batch p r --soft --prediction-pattern '{case}{label}.npy'")
    scene.right(DICE, "batch p r --prediction-pattern '{case}.png'")  # without --soft
    scene.npy("p/a.npy", P)
    scene.right(DICE, "batch p r --soft --prediction-pattern '{case}.npy'", number=f"{_HALF}@macro")


@TABLE("runs.listing._check_folder: To compare two files: dicecli score")
def files_for_folders(scene):
    scene.pair()
    scene.refused("batch p.png r.png")
    scene.right(DICE, "score p.png r.png")


@TABLE("runs.lost.check_timeout: It is a number of seconds")
def no_timeout(scene):
    scene.refused(dicecli.score, PREDICTION, REFERENCE, timeout=0)
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)


@TABLE(
    "runs.lost.check_timeout: A timeout needs processes of our", "runs.measuring._fold: Give serial or dask."
)
def an_executor_that_cannot(scene):
    scene.pair()
    files = [scene.folder / "p.png", scene.folder / "r.png"]
    more = {"timeout": 9.0} if "timeout" in scene.place.name else {}
    executor = "dask" if more else "processes"
    scene.refused(dicecli.score, *files, executor=executor, **more)
    scene.right(DICE, dicecli.score, *files, executor="serial")


@TABLE("runs.lost.within: Leave it out, or give two")
def a_timeout_of_arrays(scene):
    scene.pair()
    scene.refused(dicecli.score, PREDICTION, REFERENCE, timeout=9.0)
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)
    with pytest.MonkeyPatch.context() as patch:  # no process is started for it here
        patch.setattr(lost, "load", lambda *_: here())
        scene.right(DICE, dicecli.score, scene.folder / "p.png", scene.folder / "r.png", timeout=9.0)


def here():
    """Return what runs items in this process, and takes a time limit."""
    from types import SimpleNamespace

    return SimpleNamespace(run=lambda function, items, *_, **__: [(0, function(items[0]))])


@TABLE(
    "runs.lost._death: Try again with fewer --jobs. If",
    "runs.lost._lateness: Give it more time: --timeout ….",
)
def a_case_whose_process_ends(scene):
    scene.pair()
    case = Case("r", scene.folder / "p.png", scene.folder / "r.png")
    is_death = "_death" in scene.place.name
    scene.refused(lambda: raised(lost._death(case, "died") if is_death else lost._lateness(case, 0.1)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lost, "load", lambda *_: here())
        scene.right(DICE, f"score p.png r.png {'--jobs 1' if is_death else '--timeout 60'}")
    assert "score" not in scene.works("inspect p.png")


@TABLE("runs.unlike._not_alike: say with --prediction-pattern and --reference-pattern where")
def names_of_nothing_in_common(scene):
    scene.folders("a")
    (scene.folder / "p" / "a.png").rename(scene.folder / "p" / "x_pred.png")
    scene.noted(f"{_BATCH} --dry-run")
    (scene.folder / "r" / "a.png").rename(scene.folder / "r" / "x_ref.png")
    scene.right(
        DICE, f"{_BATCH} --prediction-pattern '{{case}}_pred.png' --reference-pattern '{{case}}_ref.png'"
    )


@TABLE("runs.patterns._options: --…-pattern …")
def names_that_differ_by_a_rule(scene):
    """Take what is proposed: it pairs every case, and the number is that of all of them."""
    for number, name in enumerate(("a1", "a2", "a3")):
        scene.folders(name, prediction=np.roll(PREDICTION, number == 2, axis=1))
        (scene.folder / "p" / f"{name}.png").rename(scene.folder / "p" / f"{name}_pred.png")
    said = scene.noted(f"{_BATCH} --dry-run")
    found = scene.do(f"{_BATCH} --dry-run").text
    told = found[found.index("--prediction-pattern") :].splitlines()[0]
    assert told in said
    report = scene.right(_pooled(), f"{_BATCH} {told}")
    assert len(report.scored) == 3


@TABLE(
    "runs.unlike._not_alike: no case name in common: references",
    "runs.unlike._not_alike: --layout … pairs them;",
)
def names_that_a_layout_pairs(scene):
    """Take the layout that is proposed: it pairs every case."""
    scene.folders("a1", "a2")
    (scene.folder / "r").rename(scene.folder / "SegmentationClass")
    (scene.folder / "r").mkdir()
    (scene.folder / "SegmentationClass").rename(scene.folder / "r" / "SegmentationClass")
    said = scene.noted(f"{_BATCH} --dry-run")
    assert "--layout voc pairs them" in said
    scene.right(DICE, f"{_BATCH} --layout voc")


@TABLE(
    "runs.several.classes: each folder of references has the",
    "runs.several.classes: --layout …, or …",
    but={"--layout": "where the folder is called segmentations"},
)
def references_of_classes(scene):
    """Take what is proposed: two cases, each with a class in a file of its own."""
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        for case in ("one", "two"):
            (scene.folder / side / case / "segmentations").mkdir(parents=True)
            for name in ("liver", "spleen"):
                scene.nii(f"{side}/{case}/segmentations/{name}.nii.gz", array[..., None])
    scene.noted(f"{_BATCH} --dry-run")
    told = scene.do(f"{_BATCH} --dry-run").text.partition("classes of one case, try ")[2].splitlines()[0]
    one, _, other = told.partition(", or ")
    for words in (one, other):
        report = scene.right(DICE, f"{_BATCH} {words}", number="dice[liver]")
        assert len(report.scored) == 2


@TABLE("runs.labels_beside.note_on_labels: labels have no names, and")
def labels_that_lie_beside(scene):
    """Take the file that is named: label 1 has its name; what is of another kind is not proposed."""
    scene.folders("a")
    scene.text("config.json", "{}")
    scene.text("labels.json", '{"labels": {"0": "background", "1": "organ"}}')
    scene.text("p/labels.json", '{"labels": {"0": "background", "1": "other"}}')
    said = scene.noted(f"{_BATCH} --dry-run")
    told = said.rpartition("give ")[2]
    assert told == "--labels labels.json"
    scene.right(DICE, f"{_BATCH} {told}", number="dice[organ]")
    assert "--labels" not in scene.works(f"{_BATCH} {told} --dry-run")


@TABLE(
    "runs.several.kinds: references are of … kinds, …,",
    "runs.several._tried: --…-pattern …",
    but={"--…-pattern": "both are printed"},
)
def references_of_several_kinds(scene):
    """Take what is proposed: the images, which are the same in both folders, are no cases any more."""
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        (scene.folder / side).mkdir()
        for case in "12":
            scene.nii(f"{side}/sub-{case}_dseg.nii.gz", array[..., None])
            scene.nii(f"{side}/sub-{case}_T1w.nii.gz", REFERENCE[..., None])
    scene.noted(f"{_BATCH} --dry-run")
    told = scene.do(f"{_BATCH} --dry-run").text.partition("to score _dseg alone, try ")[2].splitlines()[0]
    for words in told.split(", or "):
        assert len(scene.right(DICE, f"{_BATCH} {words}").scored) == 2


@TABLE(
    "runs.unlike._not_alike: some names differ only by what",
    but=dict.fromkeys(("--prediction-pattern", "--reference-pattern"), "no pattern pairs all of them"),
)
def names_that_no_pattern_pairs(scene):
    """Name the pairs where some names have a suffix and others none."""
    for number, name in enumerate(("a1", "a2", "a3", "a4")):
        scene.folders(name, prediction=np.roll(PREDICTION, number == 2, axis=1))
        if number < 3:
            (scene.folder / "p" / f"{name}.png").rename(scene.folder / "p" / f"pred_{name}_x.png")
    scene.noted(f"{_BATCH} --dry-run")
    rows = "".join(f"p/pred_a{at}_x.png,r/a{at}.png\n" for at in (1, 2, 3))
    scene.text("pairs.csv", f"prediction,reference\n{rows}")
    scene.right(_pooled(), "batch --pairs pairs.csv")


@TABLE("runs.sides.check_apart: Give the folder that the predictions")
def references_as_their_predictions(scene):
    scene.folders()
    scene.refused("batch r r")
    scene.right(DICE, _BATCH)
    scene.right(1.0, "batch r r --allow-same")
    scene.refused(dicecli.batch, scene.folder / "r", scene.folder / "r")
    scene.right(1.0, dicecli.batch, scene.folder / "r", scene.folder / "r", allow_same=True)


@TABLE("runs.sides.contradiction: '…' is taken as the prediction")
def references_first(scene):
    """As it is printed, precision and recall are those of the right side."""
    for name, array in (("labelsTs", REFERENCE), ("predictions", PREDICTION)):
        (scene.folder / name).mkdir()
        scene.png(f"{name}/a.png", array)
    said = scene.noted("batch labelsTs predictions")
    told = said[said.index("--prediction") :]
    scene.right(2 / 3, f"batch {told.partition(' --reference ')[0]} --reference labelsTs", number="precision")
    assert told.startswith("--prediction predictions --reference labelsTs")


def _pooled():
    """Return Dice of the three cases added up: one of them is a pixel further."""
    both = sizes = 0
    for shift in (0, 0, 1):
        moved = np.roll(PREDICTION, shift, axis=1)
        both += int((moved & REFERENCE).sum())
        sizes += int(moved.sum() + REFERENCE.sum())
    return 2 * both / sizes


#: The hint, the CSV that is refused with it, and what it becomes.
LISTS = [
    (
        "pairs_csv.pair_csv: Name one in every row.",
        "prediction,reference\np/a.png,\n",
        "prediction,reference\np/a.png,r/a.png\n",
    ),
    (
        "pairs_csv.pair_csv: Every case stands once:",
        "prediction,reference\np/a.png,r/a.png\np/b.png,r/a.png\n",
        "prediction,reference\np/a.png,r/a.png\n",
    ),
    (
        "pairs_csv.pair_csv: Every case stands once:",
        "prediction,reference\np/a.png,r/a.png\np/b.png,r/a.png\n",
        "prediction,reference,case\np/a.png,r/a.png,one\np/b.png,r/a.png,two\n",
    ),
    (
        "pairs_csv.pair_csv: Every case stands once:",
        "prediction,reference,case\np/a.png,r/a.png,1\np/a.png,r/a.png,2\n",
        "prediction,reference,case\np/a.png,r/a.png,1\np/b.png,r/b.png,2\n",
    ),
    (
        "pairs_csv.pair_csv: Write one row per case below",
        "prediction,reference\n",
        "prediction,reference\np/a.png,r/a.png\n",
    ),
    (
        "csv_rows.csv_rows: Put a cell that contains a",
        "prediction,reference\np/c,d.png,r/a.png\n",
        'prediction,reference\n"p/c,d.png",r/a.png\n',
    ),
    (
        "csv_rows.csv_rows: Give a CSV file in UTF-8.",
        b"prediction,reference\np/\xe4.png,r/a.png\n",
        "prediction,reference\np/ä.png,r/a.png\n",
    ),
    (
        "pairs_csv._check_header: The first line names the columns:",
        "pred,ref\np/a.png,r/a.png\n",
        "prediction,reference\np/a.png,r/a.png\n",
    ),
    (
        "pairs_csv._check_header: The first line names the columns:",
        "p/a.png,r/a.png\n",
        "prediction,reference,case,group\np/a.png,r/a.png,a,x\n",
    ),
    (
        "pairs_csv._check_header: The first line names the columns:",
        "prediction,reference,grp\np/a.png,r/a.png,x\n",
        "prediction,reference,group,fold\np/a.png,r/a.png,x,1\n",
    ),
]


@TABLE(*dict.fromkeys(f"runs.{name}" for name, _, _ in LISTS))
def a_list_of_pairs_that_is_none(scene):
    scene.folders("a", "b", "c,d", "ä")
    for name, bad, good in LISTS:
        if scene.place.name.startswith(f"runs.{name}"):
            scene.bytes("pairs.csv", bad if isinstance(bad, bytes) else bad.encode())
            scene.refused("batch --pairs pairs.csv")
            scene.text("pairs.csv", good)
            scene.right(DICE, "batch --pairs pairs.csv")


def totalled(*cases, **options):
    """Return the report of an evaluator after some cases; of a batch, where they are lists."""
    evaluator = dicecli.Evaluator()
    for case in cases:
        update = evaluator.update_batch if isinstance(case[0], list) else evaluator.update
        update(*case, **options)
    return evaluator.compute()


@TABLE("runs.evaluator.update_batch: Give as many of one as")
def a_batch_of_more_references(scene):
    scene.refused(totalled, ([PREDICTION], [REFERENCE, REFERENCE]))
    scene.right(DICE, totalled, ([PREDICTION] * 2, [REFERENCE] * 2))


@TABLE("runs.evaluator._cases_of: Give an array whose first axis")
def a_batch_that_is_one_file(scene):
    scene.pair()
    scene.refused(dicecli.Evaluator().update_batch, "p.png", "r.png")
    scene.right(DICE, totalled, (["p.png"], ["r.png"]))
    scene.right(DICE, totalled, ("p.png", "r.png"))


@TABLE("runs.evaluator._cases_of: One case is for update().")
def a_batch_that_is_one_image(scene):
    scene.refused(dicecli.Evaluator().update_batch, PREDICTION, REFERENCE)
    scene.right(DICE, totalled, (PREDICTION, REFERENCE))


@TABLE("runs.evaluator._scored: It is a text, or left")
def a_number_for_a_name(scene):
    scene.refused(totalled, (PREDICTION, REFERENCE), name=3)
    scene.right(DICE, totalled, (PREDICTION, REFERENCE), name="3")
    scene.right(DICE, totalled, (PREDICTION, REFERENCE))


@TABLE("runs.gathered.take: Give each case a name of")
def two_cases_of_one_name(scene):
    scene.refused(totalled, (PREDICTION, REFERENCE), (REFERENCE, REFERENCE), name="a")
    scene.right(DICE, totalled, ([PREDICTION] * 2, [REFERENCE] * 2), names=["a", "b"])
    evaluator = dicecli.Evaluator()
    evaluator.update(REFERENCE, REFERENCE, name="a")
    evaluator.reset()
    evaluator.update(PREDICTION, REFERENCE, name="a")
    scene.right(DICE, evaluator.compute)


@TABLE("runs.evaluator.__iadd__: Make all that are to be")
def evaluators_of_other_options(scene):
    first, second = dicecli.Evaluator(), dicecli.Evaluator(undefined="zero")
    first.update(PREDICTION, REFERENCE)
    scene.refused(sum, [first, second])
    scene.right(DICE, sum([first, dicecli.Evaluator()]).compute)


@TABLE("runs.wanted.files_of: Leave it out.")
def a_curve_of_masks(scene):
    scene.refused(dicecli.batch, "p", "r", curve="curve.csv")
    scene.folders("a")
    scene.right(DICE, dicecli.batch, "p", "r")


@TABLE("runs.wanted.texts: Give a text, or a list")
def a_set_of_nothing_for_gates(scene):
    scene.folders("a")
    scene.refused(dicecli.batch, "p", "r", fail_under=[None])
    scene.right(DICE, dicecli.batch, "p", "r", fail_under="dice=0.5")
    scene.right(DICE, dicecli.batch, "p", "r", fail_under=["dice=0.5", "iou=0.5"])


@TABLE("runs.progress.watching: Give True for a bar, or")
def a_number_for_a_bar(scene):
    scene.folders("a")
    scene.refused(dicecli.batch, "p", "r", progress=1)
    scene.right(DICE, dicecli.batch, "p", "r", progress=True)
    scene.right(DICE, dicecli.batch, "p", "r", progress=lambda done, total, result: (done, total, result))


@TABLE("runs.checking.check_given: Give a path, an array or")
def bytes_for_a_mask(scene):
    scene.pair()
    scene.refused(dicecli.score, b"p.png", REFERENCE)
    scene.right(DICE, dicecli.score, "p.png", "r.png")
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)
    import nibabel

    images = [nibabel.Nifti1Image(each[..., None], np.eye(4)) for each in (PREDICTION, REFERENCE)]
    scene.right(DICE, dicecli.score, *images)


@TABLE("runs.python._path: Give a path, as a text")
def no_path_of_a_folder(scene):
    scene.folders()
    scene.refused(dicecli.batch, 5, scene.folder / "r")
    scene.right(DICE, dicecli.batch, str(scene.folder / "p"), str(scene.folder / "r"))
    scene.right(DICE, dicecli.batch, scene.folder / "p", scene.folder / "r")


@TABLE("runs.checking.check_workers: It is a whole number from")
def no_threads(scene):
    scene.refused(dicecli.score, PREDICTION, REFERENCE, threads=0)
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE, threads=1)


@TABLE(
    "runs.scoring.check_executor: Add --executor dask, or leave out",
    but={"--scheduler": "it is to be left out"},
)
def a_scheduler_alone(scene):
    scene.folders("a")
    scene.refused(f"{_BATCH} --scheduler tcp://127.0.0.1:9")
    scene.right(DICE, _BATCH)
    distributed = pytest.importorskip("distributed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributed, "Client", lambda *_, **__: raised(OSError("no answer")))
        scene.refused_again(f"{_BATCH} --scheduler tcp://127.0.0.1:9 --executor dask")


@TABLE("runs.scoring.settings_of: Give --missing error or skip.")
def a_map_that_is_missing_as_zero(scene):
    for side, name, array in (("p", "a", P), ("r", "a", REFERENCE), ("r", "b", REFERENCE)):
        (scene.folder / side).mkdir(exist_ok=True)
        scene.nii(f"{side}/{name}.nii.gz", array[..., None].astype("f4" if side == "p" else "u1"))
    scene.refused(f"{_BATCH} --soft --missing zero")
    scene.right(DICE, f"{_BATCH} --soft --missing skip", number=_HALF)
    scene.refused_again(f"{_BATCH} --soft --missing error")


@TABLE("runs.scoring._refuse_others: Leave it out.")
def an_option_of_the_other_kind(scene):
    scene.folders("a")
    scene.refused(dicecli.batch, scene.folder / "p", scene.folder / "r", smooth=0.0)
    scene.right(DICE, dicecli.batch, scene.folder / "p", scene.folder / "r")
    assert make_settings().metrics is None


@TABLE("runs.choosing.chosen_of_counts: Leave it out; or ask")
def surfaces_of_counts(scene):
    table = [[3, 1], [0, 2]]
    scene.refused(dicecli.from_matrix, table, metrics="hd95")
    scene.gives(DICE, lambda: dicecli.from_matrix(table, metrics="dice").dice)
    scene.gives(DICE, lambda: dicecli.from_matrix(table, metrics="all").dice)
    rows = "\n".join(
        f"{600_005 + 10 * column},{5_799_995 - 10 * row},{REFERENCE[row, column]}"
        for row, column in np.ndindex(2, 3)
    )
    scene.tif("map.tif", PREDICTION)
    scene.text("points.csv", f"x,y,class\n{rows}\n")
    scene.refused("points map.tif points.csv -m hd95")
    scene.right(DICE, "points map.tif points.csv -m all")
    scene.right(DICE, "points map.tif points.csv")


@TABLE("runs.choosing._words: It is the name of a")
def metrics_that_are_no_names(scene):
    scene.refused(dicecli.score, PREDICTION, REFERENCE, metrics=[1])
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE, metrics=["dice", "iou"])


@TABLE("runs.choosing.unit_asked: Name metrics without their units: they")
def lengths_in_two_units(scene):
    scene.folders("a")
    scene.refused("score p/a.png r/a.png -m hd95_px,assd_mm,dice")
    scene.right(DICE, "score p/a.png r/a.png -m hd95,assd,dice")


@TABLE("runs.choosing._of_the_other_kind: Score maps: dicecli soft, or dicecli")
def a_metric_of_maps(scene):
    scene.folders("a")
    scene.refused(f"{_BATCH} -m dice_at_half")
    assert "dice" in scene.works("metrics")
    scene.right(DICE, _BATCH)
    scene.npy("p.npy", P)
    scene.png("r.png", REFERENCE)
    scene.right(DICE, "soft p.npy r.png -m dice_at_half", number=_HALF)
    (scene.folder / "m").mkdir()
    scene.npy("m/a.npy", P)
    scene.right(DICE, "batch m r --soft -m dice_at_half", number=_HALF)


@TABLE(
    "runs.choosing._of_the_other_kind: Hard Dice of maps is dice_argmax",
    but={"--soft": "it is to be left out"},
)
def a_metric_of_masks(scene):
    scene.npy("p.npy", np.stack([1 - P, P]))
    scene.png("r.png", REFERENCE)
    scene.refused("soft p.npy r.png -m dice")
    scene.right(DICE, "soft p.npy r.png -m dice_argmax", number="dice_argmax[1]")
    scene.right(DICE, "soft p.npy r.png -m dice_at_half", number=_HALF)
    scene.png("p.png", PREDICTION)
    scene.right(DICE, "score p.png r.png -m dice")
    (scene.folder / "p").mkdir()
    (scene.folder / "r").mkdir()
    scene.png("p/a.png", PREDICTION)
    scene.png("r/a.png", REFERENCE)
    scene.right(DICE, f"{_BATCH} -m dice")


@TABLE("runs.scoring.result_of: Make it; or count it as")
def a_prediction_that_is_missing(scene):
    scene.folders("a", "b")
    (scene.folder / "p" / "b.png").unlink()
    scene.refused(_BATCH)
    scene.right(2 * 2 / (3 + 2 + 2), f"{_BATCH} --missing zero")
    scene.right(DICE, f"{_BATCH} --missing skip")
    scene.png("p/b.png", PREDICTION)
    scene.right(DICE, _BATCH)


@TABLE("runs.scoring.result_of: Make it; or leave the case")
def a_map_that_is_missing(scene):
    for side, name, array in (("p", "a", P), ("r", "a", REFERENCE), ("r", "b", REFERENCE)):
        (scene.folder / side).mkdir(exist_ok=True)
        scene.nii(f"{side}/{name}.nii.gz", array[..., None].astype("f4" if side == "p" else "u1"))
    scene.refused(f"{_BATCH} --soft")
    scene.right(DICE, f"{_BATCH} --soft --missing skip", number=_HALF)
    scene.nii("p/b.nii.gz", P[..., None].astype("f4"))
    scene.right(DICE, f"{_BATCH} --soft", number=_HALF)


@TABLE("runs.scoring._outside: Copy the mask there; or, if")
def a_link_out_of_the_folder(scene):
    scene.folders("a")
    inside = scene.folder / "p" / "a.png"
    inside.rename(scene.folder / "elsewhere.png")
    inside.symlink_to(scene.folder / "elsewhere.png")
    scene.refused(_BATCH)
    scene.right(DICE, f"{_BATCH} --follow-links")
    inside.unlink()
    make.png(inside, PREDICTION)
    scene.right(DICE, _BATCH)


@TABLE("runs.inspection.values.encoding: Give a label map; or, where")
def many_values(scene):
    """Only floats may be probabilities: of an image of integers a threshold would make a mask of its own."""
    ramp = np.linspace(0, 1.25, 5000, dtype="f4").reshape(50, 100)
    scene.tif("p.tif", ramp)
    scene.tif("r.tif", (ramp >= 0.25).astype(np.uint8))
    scene.refused("inspect p.tif")
    predicted, expected = ramp >= 0.5, ramp >= 0.25
    both = 2 * int((predicted & expected).sum()) / int(predicted.sum() + expected.sum())
    scene.right(both, "score p.tif r.tif --threshold 0.5")
    scene.tif("p.tif", predicted.astype(np.uint8))
    scene.right(both, "score p.tif r.tif")


@TABLE("runs.inspection.values.encoding: Give a label map.")
def an_image(scene):
    scene.tif("p.tif", np.arange(5000, dtype=np.uint16).reshape(50, 100))
    scene.refused("inspect p.tif")
    scene.tif("p.tif", PREDICTION)
    scene.works("inspect p.tif")


@TABLE("runs.inspection.values.encoding: Save the mask as integers. If")
def values_with_nan(scene):
    lost_ones = REFERENCE.astype("f4")
    lost_ones[PREDICTION != REFERENCE] = np.nan
    scene.tif("r.tif", lost_ones)
    scene.tif("p.tif", PREDICTION)
    scene.refused("inspect r.tif")
    scene.works("inspect r.tif --nodata ignore")
    scene.right(1.0, "score p.tif r.tif --nodata ignore")
    scene.tif("r.tif", REFERENCE)
    scene.right(DICE, "score p.tif r.tif")


@TABLE("runs.inspection.probabilities._meant: dicecli soft")
def a_map_that_is_inspected(scene):
    channels = {
        "softmax": np.stack([0 * P, P * 4 - 2]),
        "sigmoid": P * 4 - 2,
        "--independent": np.stack([P, P]),
    }
    (values,) = (each for word, each in channels.items() if word in scene.place.text)
    scene.npy("p.npy", values)
    make.png(scene.folder / "r.png", REFERENCE)
    ask = f"inspect p.npy{' --channel-axis 0' * (values.ndim > 2)}"
    scene.noted(ask)
    (found,) = json.loads(scene.works(f"{ask} -f json"))["files"]
    words = found["probabilities"]["command"].removeprefix("dicecli ").replace("REFERENCE", "r.png")
    scene.right(DICE, words, number="dice_at_half[1]")


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []
