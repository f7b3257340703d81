"""What metrics take of maps: rows of single cases, and all channels of many cases together."""

from __future__ import annotations

import operator
from functools import reduce

import maps
import numpy as np
import pytest

import dicecli
from dicecli.records.measurements import IMAGE, Row
from dicecli.statistics.soft import measured as soft


def cases(*pairs, **options):
    """Return the measured cases of maps and references, and the rows that averages are over."""
    settings = maps.settings(**options)
    found = [dicecli.Case(str(at), p, g) for at, (p, g) in enumerate(pairs)]
    report = dicecli.score_many(found, settings)
    assert report.number("failed") == 0
    return report.scored, report.evaluated


def equal(one, other):
    """Tell whether two sums over all channels are the same."""
    return one.channels == other.channels and one.joint == other.joint and one.evaluated == other.evaluated


THREE = [maps.softmax((4, 6, 7 + seed), seed) for seed in range(3)]


def test_rows_are_found_by_what_they_are_of():
    """A label by its number, whatever its name; a region by its name; a row that the map lacks is None."""
    (case,), _ = cases(THREE[0], regions={"both": [1, 3]})
    sums = case.measured["soft"]
    rows = [Row("label", 2, "liver", (2,)), Row("region", None, "both", ()), Row("label", 9, None, (9,))]
    liver, both, nothing = soft.taken(case, rows)
    assert liver.sums == sums[Row("label", 2, None, (2,))]
    assert both.sums == sums[Row("region", None, "both", (1, 3))]
    assert nothing is None


def test_the_largest_probability_is_that_of_the_map():
    """Its hard counts are those of the label with the largest p; independent channels have none."""
    p, g = THREE[0]
    (case,), rows = cases((p, g), regions={"both": [1, 3]})
    top = p.argmax(axis=0)
    for row, channel in zip(rows, soft.taken(case, rows), strict=True):
        one, other = np.isin(top, row.members), np.isin(g, row.members)
        expected = ((one & other).sum(), (one & ~other).sum(), (~one & other).sum(), (~one & ~other).sum())
        assert tuple(channel.argmax) == expected
    (case,), rows = cases((p, g), independent=True, channels=[0, 1, 2, 3])
    assert [each.argmax for each in soft.taken(case, rows)] == [None] * 3


def test_channels_add_up():
    """The sums of two cases are those of one that has the pixels of both; without hard counts in one, in both."""
    (one, other, both), rows = cases(
        *THREE[:2], tuple(np.concatenate(sides, axis=-1) for sides in zip(*THREE[:2], strict=True))
    )
    for row in rows:
        (first,), (second,), (total,) = (soft.taken(case, [row]) for case in (one, other, both))
        found = first + second
        assert found.argmax == total.argmax
        assert found.best == total.best
        assert found.half == total.half
        assert tuple(found.sums.sums) == pytest.approx(tuple(total.sums.sums), rel=1e-13)
        assert (first + soft.Channel(second.sums, None)).argmax is None


def test_all_channels_of_many_cases_are_those_of_one():
    """Evaluated labels, every channel and what they have together are added up over the cases."""
    many, rows = cases(*THREE)
    found = soft.every(many, rows)
    alone = [soft.every([case], rows) for case in many]
    for at in range(3):
        assert found.evaluated[at] == reduce(operator.add, (each.evaluated[at] for each in alone))
    for at in range(4):
        assert found.channels[at] == reduce(operator.add, (each.channels[at] for each in alone))
    assert found.joint == reduce(operator.add, (each.joint for each in alone))
    assert found.pixels == sum(g.size for _, g in THREE)


@pytest.mark.parametrize("regions", [{"both": [1, 3]}, {"all": [1, 2, 3], "both": [1, 2]}])
def test_a_region_is_not_counted_twice(regions):
    """The channel of a region is a sum of others: beside them it changes nothing of all channels together."""
    with_regions, without = cases(*THREE, regions=regions), cases(*THREE)
    assert len(with_regions[1]) == len(without[1]) + len(regions)
    assert equal(soft.every(*with_regions), soft.every(*without))


def test_a_region_that_is_a_channel_counts():
    """Of channels that do not exclude each other a region's is one like any other."""
    p, g = THREE[0]
    (case,), rows = cases(
        (p[1:], np.where(g == 2, 0, g)), channels="whole,1,3", regions={"whole": [1, 3]}, independent=True
    )
    found = soft.every([case], rows)
    assert [row.kind for row in rows] == ["label", "label", "region"]
    assert len(found.evaluated) == len(found.channels) == 3
    assert found.joint is None
    assert found.pixels == 3 * g.size


def test_cases_of_other_channels_have_nothing_together():
    """Where one map lacks a channel that another has, each channel is added up, and none of what they share."""
    (one, other), rows = cases(THREE[0], maps.softmax((3, 5, 5), 4))
    found = soft.every([one, other], rows)
    assert found.joint is None
    assert [each.pixels for each in found.channels] == [42 + 25] * 3 + [42]
    assert [each.sums.pixels for each in found.evaluated] == [42 + 25] * 2 + [42]


def test_of_no_case_there_is_nothing():
    """Without a case there are no channels, and no pixel."""
    found = soft.every([], ())
    assert (found.evaluated, found.channels, found.joint, found.pixels) == ((), (), None, 0)


def test_what_reports_say_of_a_class():
    """Sizes and sums are rounded to the nearest number; a class is there where the reference has it."""
    (case,), rows = cases(THREE[0])
    channel = soft.taken(case, rows)[0]
    p, g = THREE[0][0][1], THREE[0][1] == 1
    facts = soft.facts(channel)
    assert facts.reference_px == facts.sums.g == g.sum() == soft.weight(channel)
    assert facts.expected_px == facts.sums.p == pytest.approx(p.sum(), rel=1e-14)
    assert facts.sums.pg == pytest.approx(p[g].sum(), rel=1e-14)
    assert facts.sums.p2 == pytest.approx((p**2).sum(), rel=1e-14)
    assert facts.sums.brier == pytest.approx(((p - g) ** 2).sum(), rel=1e-14)
    assert facts.sums.cross_entropy == pytest.approx(-np.log(np.where(g, p, 1 - p)).sum(), rel=1e-13)
    assert soft.sizes(channel) == {"reference px": facts.reference_px, "expected px": facts.expected_px}
    assert soft.is_there(channel)
    assert not soft.is_there(soft.Channel(type(channel.sums).zero(), None))
    assert set(soft.COLUMNS) == {"reference_px", "expected_px"}
    assert IMAGE in case.measured["soft"]
