"""Code, files and rows in danger: each case from the field by what must hold, and the tests that hold it."""

from __future__ import annotations

import ast

from places import ROOT

DANGER = "promises/danger/test_"
#: By the words of the rows, the tests, as files below ``tests`` and functions in them; the kinds that are alike
#: are tried beside these, in the same files.
ROWS = {
    "children start with the safe path; a test plants each module of the start-up list": (
        f"{DANGER}foreign_modules: the_trap_is_real, children_of_the_command_start_with_the_safe_path, "
        "the_child_of_a_pair_with_a_limit_starts_with_the_safe_path, children_of_a_host_start_with_the_safe_path"
    ),
    "only up to the repository's root or the home folder, else the current folder alone": (
        f"{DANGER}options_in_files: only_up_to_the_root_of_the_repository_or_the_home_folder"
    ),
    "never of another owner (a note says so; `--config FILE` names one explicitly)": (
        f"{DANGER}options_in_files: never_of_another_owner, a_link_of_another_owner_to_a_file_of_ours"
    ),
    "outputs only inside its own folder": (
        f"{DANGER}options_in_files: outputs_only_inside_its_own_folder, "
        "an_output_inside_is_written_where_the_file_is"
    ),
    "which file was obeyed is said in every output and under `-q`": (
        f"{DANGER}options_in_files: which_file_was_obeyed_is_said_in_every_output, and_under_quiet"
    ),
    "file names `::stop-commands::x.png`, `##[error]x` in CI: inert where a line is printed under GitHub Actions": (
        f"{DANGER}names: every_part_of_every_exporter, every_command, words_of_the_command_line"
    ),
    "2 before anything is read; `--summary` repeats like `-o`": (
        f"{DANGER}outputs: 2_before_anything_is_read, summary_repeats_like_o, python_is_held_to_the_same"
    ),
    "`batch --soft` where no case can be scored: 3 with its rows; undefined (`soft two.npy ones.png --ignore-label 1` is "
    "the smallest)": f"{DANGER}traces: 3_with_its_rows, undefined",
    "forgetting `--resume`: kept beside as `.old`, said before": (
        f"{DANGER}links_and_journals: kept_beside_as_old_said_before, no_row_is_lost_however_often_it_is_forgotten, "
        "python_keeps_it_as_well"
    ),
    "references in a format that is not read, beside ones that are: failed rows, or 2 (every suffix of images and volumes "
    "that the field uses, not README or dataset.json)": (
        "runs/test_pairing: references_that_are_not_read_are_expected_all_the_same; "
        "runs/test_tiles: tiles_that_are_not_read_are_failed_rows; "
        "runs/test_classes: a_class_in_a_format_that_is_not_read"
    ),
    "nothing of the host's is changed": (
        f"{DANGER}host: nothing_of_the_hosts_is_changed, the_hosts_own_guards_do_not_hurt; "
        "runs/executors/test_contract: the_start_method_of_the_host_stays"
    ),
    "the limit is per mask and counts what is really held, within a third": (
        f"{DANGER}memory: the_limit_is_per_mask_and_counts_what_is_really_held_within_a_third"
    ),
    "`--prediction-pattern '*_*_*_*_*_*_*{case}.x.png'` with a name of 60 `a_`: linear": (
        f"{DANGER}matching: linear, expressions_are_linear"
    ),
    "tampered `results.json`, labels ≥ 2^63 in colours or channels, 260 ignore labels with a threshold, `batch(jobs=2)` in a "
    "daemonic process: errors with hints": (
        f"{DANGER}traces: tampered_results_are_errors_with_hints, labels_from_2_to_the_63_are_errors_with_hints, "
        "260_ignore_labels_with_a_threshold; runs/test_processes: batch_with_two_jobs_in_a_daemonic_process"
    ),
    "`x;=HYPERLINK(…).png` in CSV; `@name` in Markdown: inert": (
        f"{DANGER}names: every_part_of_every_exporter, a_cell_of_any_text, markdown_of_any_text"
    ),
    "names that differ by NFC/NFD or case: paired by NFC, or the hint says what differs": (
        f"{DANGER}matching: names_in_two_forms_pair, names_that_look_alike_say_what_differs"
    ),
    "losses: finite; ignored pixels count nowhere": (
        f"{DANGER}ignored: ignored_pixels_count_nowhere, class_weights_of_the_background_alone_and_no_background"
    ),
    "EPSG:4326, 4674, 4258 written with ESRI keys against the plain file: equal: datum, unit and prime meridian are compared, "
    "not axis order": f"{DANGER}systems: keys_of_esri, what_makes_a_system",
    # How long both take is measured, not tested: docs/engineering/speed.md.
    "more jobs are never slower than one by more than their start; quick items travel in batches; small runs start no "
    "worker": (
        "runs/executors/test_contract: quick_items_travel_in_batches, what_waits_behind_a_slow_item_is_done_elsewhere; "
        "promises/field/test_small_masks: six_pairs_start_no_worker, what_is_not_small_has_workers"
    ),
    "the suite under `nohup` (signals ignored), on a loaded machine: green: children reset signals; `deadline` is None "
    "everywhere": (
        "project/test_unhurried: children_reset_signals, no_example_has_a_deadline, a_clock_on_the_wall_has_a_minute_at_least"
    ),
}


def test_every_row_has_its_tests():
    """Each test that is named for a row is there."""
    for row, tests in ROWS.items():
        for each in tests.split("; "):
            file, names = each.split(": ")
            tree = ast.parse((ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8"))
            there = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
            assert {f"test_{name}" for name in names.split(", ")} <= there, row
