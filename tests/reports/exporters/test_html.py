"""The page for a browser: whole, of one's own, and nothing in it that a name could do."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np
import pytest

import dicecli
from dicecli.reports import blocks
from dicecli.reports.exporters import html
from dicecli.reports.look import PLAIN
from dicecli.reports.report import Report
from dicecli.reports.sheet import Sheet

NASTY = "<script>alert(1)</script>&\"'\x1b[31m"
MASK = np.array([[0, 1, 1, 2], [0, 1, 2, 2]])
#: Elements that stand alone.
_VOID = {"meta"}


class Page(HTMLParser):
    """Reads a page: its elements have to be closed in the order in which they were opened."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.cells = [], [], []
        self.tags = set()
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):  # noqa: D102 - the parser's
        self.tags.add(tag)
        assert not {"src", "href", "onclick"} & {name for name, _ in attrs}
        if tag not in _VOID:
            self.open.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_endtag(self, tag):  # noqa: D102 - as above
        assert self.open.pop() == tag

    def handle_data(self, data):  # noqa: D102 - as above
        self.texts.append(data)
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells[-1] += data


@pytest.fixture(scope="module")
def reports():
    """Score one case, many of which one fails, none, and one that fails alone, with names that are markup."""
    settings = dicecli.make_settings(labels={"labels": {"0": "nothing", "1": NASTY, "2": "b"}})
    cases = [
        dicecli.Case(NASTY, MASK, MASK),
        dicecli.Case("b", MASK, MASK[:, ::-1]),
        dicecli.Case("c", MASK, MASK[:1]),
    ]
    many = dicecli.score_many(cases, settings)
    return [
        dicecli.score_many(cases[:1], settings),
        many,
        Report([], settings, is_batch=True),
        Report(many.results[2:], settings, is_batch=False),
    ]


@pytest.mark.parametrize("part", html.PARTS)
def test_the_page_is_whole_and_nothing_acts(reports, part):
    """Elements are closed, nothing comes from elsewhere, and what is no plain text is shown."""
    for report in reports:
        text = report.render("html", part)
        page = Page(text)
        assert page.tags <= {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "div",
            "h2",
            "p",
            "dl",
            "dt",
            "dd",
        } | {*("table", "thead", "tbody", "tr", "th", "td")}
        assert "http" not in text
        assert "\x1b" not in text
        if report.scored:
            assert "<script>alert(1)</script>" in "".join(page.texts)


def test_the_page_has_every_cell_of_every_sheet(reports):
    """In the order in which they stand; a column of names without any is left out."""
    for report in reports[:2]:
        found = iter(Page(report.render("html")).cells)
        for block in blocks.blocks(report, "report", PLAIN):
            if isinstance(block, Sheet):
                expected = [*block.columns, *(cell for row in block.rows for cell in row)]
                assert expected == [next(found) for _ in expected]
        assert next(found, None) is None
    plain = Report(dicecli.score(MASK, MASK).results, dicecli.make_settings(), is_batch=True)
    assert "name" not in Page(plain.render("html")).cells
    assert "95 % CI" in Page(plain.render("html")).cells


def test_a_notebook_shows_the_same_without_a_page(reports):
    """What a notebook has of a report stands in the page to the letter, beside the style that it needs."""
    for report in reports:
        shown = report._repr_html_()
        body = shown[shown.index('<div class="dicecli">') :].rstrip()
        assert body in report.render("html")
        assert shown.startswith("<style>")
        Page(shown)


def test_a_block_that_it_does_not_know_is_a_line(monkeypatch, reports):
    """Whatever a report comes to say, nothing of it is lost."""

    @dataclass(frozen=True)
    class Other:
        text: str

    monkeypatch.setattr(html, "blocks", lambda *_: [Other("<new>"), 7])
    assert '<p class="other">&lt;new&gt;</p>\n<p class="int">7</p>' in html.render(
        reports[0], "report", PLAIN
    )
