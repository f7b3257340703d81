"""The running total: the report of a batch, whatever order cases came in and evaluators were added."""

from __future__ import annotations

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicecli
from dicecli import Case, Evaluator, make_settings, score_many
from dicecli.errors import CaseError, GridMismatch, Missing, NotLabels, ShapeMismatch, UsageError
from dicecli.records.codec import written

RNG = np.random.default_rng(5)
MASKS = [(RNG.integers(0, 3, (4, 5)), RNG.integers(0, 3, (4, 5))) for _ in range(12)]
SHARES = st.lists(st.integers(0, 2), min_size=len(MASKS), max_size=len(MASKS))


def text(report):
    return report.render("json")


def content(report):
    """Return all that a report is made of."""
    return [written(each) for each in report.results], report.given_notes


def filled(*pairs, **options):
    """Return an evaluator with pairs of masks that have no names."""
    evaluator = Evaluator(**options)
    for pair in pairs:
        evaluator.update(*pair)
    return evaluator


def names(report):
    return [each.case.name for each in report.results]


@settings(max_examples=8)
@given(shares=SHARES, order=st.permutations(range(3)), with_names=st.booleans())
def test_adding_gives_the_same_bytes_in_any_order_and_grouping(shares, order, with_names):
    """With names it is the report of one run over all cases in the order of their names; pickling changes nothing."""
    parts = [Evaluator(metrics=["dice", "iou"]) for _ in range(3)]
    for number, (share, pair) in enumerate(zip(shares, MASKS, strict=True)):
        parts[share].update(*pair, name=f"c{number}" if with_names else None)
    first, second, third = (pickle.loads(pickle.dumps(parts[each])) for each in order)  # noqa: S301 - our own
    expected = content(sum(parts).compute())
    assert expected == content((first + (second + third)).compute())
    second += first
    assert expected == content((third + second).compute())
    assert [len(each) for each in parts] == [shares.count(each) for each in range(3)]
    if with_names:
        cases = [Case(f"c{number}", *pair) for number, pair in enumerate(MASKS)]
        assert expected == content(score_many(cases, make_settings(metrics=["dice", "iou"])))
    else:
        assert names(sum(parts).compute()) == [str(number) for number in range(1, len(MASKS) + 1)]


def test_each_rank_of_a_sampler_gives_every_so_manyth_case():
    """What came first in each of two processes comes first; a number that is a name already is passed over."""
    even, odd = filled(*MASKS[0:6:2]), filled(*MASKS[1:6:2])
    found = (odd + even).compute().scored
    for place, pairs in enumerate(pairwise([0, 2, 4, 6])):
        here = {each.measured.packed({}) == dicecli.score(*MASKS[at]).scored[0].measured for each in found[slice(*pairs)] for at in range(*pairs)}  # fmt: skip
        assert here == {True, False}, place
    even.update(*MASKS[9], name="2")
    assert names(even.compute()) == ["1", "2", "3", "4"]
    assert even.compute().scored[1].measured == dicecli.score(*MASKS[9]).scored[0].measured
    even += odd
    even.update(*MASKS[10])
    assert even.compute().scored[-1].measured == dicecli.score(*MASKS[10]).scored[0].measured
    even += filled(*MASKS[:5])  # of which the fifth comes after what was the fourth here
    assert even.compute().scored[-1].measured == dicecli.score(*MASKS[4]).scored[0].measured


def test_it_computes_again_and_begins_anew():
    """A report is of what there was; an evaluator goes on, forgets, and keeps its options."""
    evaluator = filled(MASKS[0], labels={"labels": {"1": "liver", "2": "tumour"}})
    first = evaluator.compute()
    evaluator.update(*MASKS[1])
    assert (1, 2) == (len(first.results), len(evaluator.compute().results))
    assert "<dicecli.Evaluator: 2 cases>" == repr(evaluator)
    evaluator.reset()
    assert (0, 0) == (len(evaluator), len(evaluator.compute().results))
    assert evaluator.compute().is_batch
    evaluator.update(*MASKS[0])
    assert text(first) == text(evaluator.compute())
    assert first.is_batch
    assert first.scored[0].case.name == "1"


def test_what_comes_twice_counts_once():
    """Of one name and the same numbers, with a note; other numbers are an error, and nothing has changed."""
    one, other = Evaluator(), Evaluator()
    for number, pair in enumerate(MASKS[:4]):
        one.update(*pair, name=f"c{number}")
    for number in (3, 4, 5, 0):
        other.update(*MASKS[number], name=f"c{number}")
    total = sum([one, other])
    assert 6 == len(total) == len((other + one).compute().scored)
    assert text(total.compute()) == text((other + one).compute())
    assert any(note.startswith("2 cases came again") for note in total.compute().notes)
    assert not any("came again" in note for note in one.compute().notes)
    before = text(total.compute())
    with pytest.raises(UsageError, match="two cases are named 'c1', and their numbers differ") as error:
        total.update(*MASKS[7], name="c1")
    assert "name=" in error.value.hint
    with pytest.raises(UsageError, match="two cases are named 'c0'"):
        total.update_batch(*zip(*MASKS[8:10], strict=True), names=["c9", "c0"])
    assert before == text(total.compute())


def test_evaluators_of_other_settings_do_not_add_up():
    """The options that differ are named, and neither has changed; what is no evaluator is Python's affair."""
    one, other = filled(MASKS[0]), filled(MASKS[1], undefined="zero", ignore_label=2)
    with pytest.raises(UsageError, match="different settings: ignore_labels, undefined"):
        one += other
    assert (1, 1) == (len(one), len(other))
    of_colours = [Evaluator(labels={"labels": {"1": "a"}, "colours": {"1": [n, 0, 0]}}) for n in (1, 2)]
    with pytest.raises(UsageError, match="different settings: labels"):
        sum(of_colours)
    with pytest.raises(TypeError):
        one + 1
    with pytest.raises(TypeError):
        1 + one


def test_a_report_says_by_which_options_it_came():
    """Of evaluators that were given the same in other words, both stand in it, in either order of adding."""
    one, other = (
        filled(MASKS[0], metrics="dice", ignore_label=2),
        filled(MASKS[1], metrics=["dice"], ignore_label=[2]),
    )
    (run,) = one.compute().origin.runs
    assert ("--ignore-label 2",) == run.options
    added = [each.compute().origin for each in (one + other, other + one)]
    assert added[0] == added[1]
    assert added[0].runs == (run,)


def test_a_batch_is_told_and_never_guessed():
    """update_batch takes the first axis for cases; update takes a volume, and says so unless it has a name."""
    predictions, references = (np.stack(each) for each in zip(*MASKS[:3], strict=True))
    by_one, by_batch = filled(*MASKS[:3]), Evaluator()
    by_batch.update_batch(predictions, references)
    assert text(by_one.compute()) == text(by_batch.compute())
    lists = Evaluator()
    lists.update_batch(list(predictions), tuple(references), names=["a", "b", "c"], groups=["x", "x", "y"])
    assert ["a", "b", "c"] == names(lists.compute())
    assert ["x", "x", "y"] == [each.case.group for each in lists.compute().scored]
    volume = filled((predictions, references))
    assert any("1 array without a name has three axes" in note for note in volume.compute().notes)
    assert 1 == len(volume.compute().scored)
    named = Evaluator()
    named.update(predictions, references, name="a")
    image = nibabel.Nifti1Image(predictions.astype(np.int16), np.eye(4))
    named.update(image, image)
    assert not any("axes" in note for note in [*named.compute().notes, *by_batch.compute().notes])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"predictions": MASKS[0][0], "references": MASKS[0][1]}, "have 2 axes"),
        ({"predictions": "p", "references": "r"}, "are one str"),
        ({"predictions": [MASKS[0][0]], "references": [MASKS[0][1]] * 2}, "1 predictions, 2 references"),
        ({"predictions": [MASKS[0][0]], "references": [MASKS[0][1]], "names": ["a", "b"]}, "2 names"),
        ({"predictions": [MASKS[0][0]], "references": None}, "a batch of 1 predictions"),
        ({"predictions": 3, "references": [MASKS[0][1]]}, "are one int"),
        ({"predictions": [MASKS[0][0]], "references": [MASKS[0][1]], "names": [3]}, "the name is 3"),
        ({"predictions": [MASKS[0][0]], "references": [None]}, "the reference is NoneType"),
    ],
)
def test_a_batch_that_is_none_is_refused(given, said):
    """Nothing is taken of it."""
    evaluator = Evaluator()
    with pytest.raises(UsageError, match=said) as error:
        evaluator.update_batch(**given)
    assert error.value.hint
    assert not evaluator


def test_a_case_that_fails_raises_or_is_a_row(tmp_path):
    """Strict by default; else as in a batch. A prediction that is not there goes by ``missing``."""
    small = MASKS[0][0][:2]
    strict, loose = Evaluator(), Evaluator(strict=False)
    with pytest.raises(ShapeMismatch):
        strict.update(small, MASKS[0][1])
    with pytest.raises(ShapeMismatch):
        strict.update_batch([MASKS[1][0], small], [MASKS[1][1], MASKS[0][1]])
    with pytest.raises(Missing):
        strict.update(None, MASKS[0][1])
    with pytest.raises(CaseError):
        strict.update(tmp_path / "p.png", tmp_path / "r.png")
    with pytest.raises(NotLabels):
        strict.update(MASKS[0][0] + 0.5, MASKS[0][1])
    assert not strict
    loose.update_batch([MASKS[1][0], small, None], [MASKS[1][1], MASKS[0][1], MASKS[0][1]])
    assert ["scored", "failed", "failed"] == [each.status for each in loose.compute().results]
    assert ["ShapeMismatch", "Missing"] == [each.error for each in loose.compute().failed]
    assert "<dicecli.Evaluator: 3 cases, 2 failed>" == repr(loose)
    zero = filled((None, MASKS[0][1]), missing="zero", metrics="recall")
    assert 0 == zero.compute().look_up("recall").value
    for broken in (3, b"", "scalar"):
        with pytest.raises((UsageError, CaseError)):
            strict.update(broken, MASKS[0][1])


def test_files_tensors_and_probabilities(tmp_path):
    """Whatever score takes; of files the name is that of the reference's, as in score."""
    torch = pytest.importorskip("torch")
    for name, (prediction, reference) in zip("ab", MASKS[:2], strict=True):
        for side, mask in (("p", prediction), ("r", reference)):
            nibabel.save(
                nibabel.Nifti1Image(mask[..., None].astype(np.uint8), np.eye(4)),
                tmp_path / f"{name}_{side}.nii",
            )
    files, tensors = Evaluator(), Evaluator(threads=2)
    files.update(str(tmp_path / "a_p.nii"), tmp_path / "a_r.nii", group="x")
    assert ["a_r"] == names(files.compute())
    assert isinstance(files.compute().scored[0].case.reference, str)
    tensors.update_batch(*(torch.from_numpy(np.stack(each)) for each in zip(*MASKS[:2], strict=True)))
    assert filled(*MASKS[:2]).compute().averages == tensors.compute().averages
    moved = nibabel.Nifti1Image(MASKS[0][0][..., None].astype(np.uint8), np.diag([2, 2, 2, 1]))
    with pytest.raises(GridMismatch):
        files.update(moved, tmp_path / "a_r.nii", name="moved")
    soft = Evaluator(soft=True, independent=True)
    maps, references = RNG.random((2, 3, 4, 5)), np.stack([MASKS[0][1], MASKS[1][1]])
    soft.update_batch(maps, references)
    one = dicecli.soft(maps[0], references[0], independent=True).scored[0]
    assert one.measured == soft.compute().scored[0].measured
    assert {"micro", "1"} & soft.compute().curves().keys()


def test_no_pixel_is_kept_and_threads_may_share_one():
    """What was given is let go of; each case counts once whatever thread it came from."""
    evaluator = Evaluator()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: evaluator.update(*MASKS[at % 12], name=f"c{at}"), range(48)))
        list(pool.map(lambda at: evaluator.update(*MASKS[at % 12]), range(48)))
    assert 96 == len(evaluator) == len(set(names(evaluator.compute())))
    held = np.zeros((50, 50), np.uint8)
    before = len(gc.get_referrers(held))
    evaluator.update(held, held)
    assert before == len(gc.get_referrers(held))
    assert len(pickle.dumps(filled((held, held)))) < held.size


def test_options_are_those_of_a_run():
    """A wrong value, a misspelt one, or one of the other kind is an error before anything is scored."""
    for wrong in (
        {"metric": "dice"},
        {"threads": 0},
        {"timeout": -1},
        {"logits": "softmax"},
        {"metrics": "dyce"},
    ):
        with pytest.raises(UsageError):
            Evaluator(**wrong)
