"""Names that would act where they are shown, and readers of every form that say what acts in a text."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from plain import is_plain

#: Names of files; what stands before a slash is a folder.
NAMES = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http:evil\x07link",
    "\x9b31m",
    "two\nlines",
    "two\n::error::lines",
    "tab\tand\rreturn",
    "\u202eevil\u202c",
    "\u2066isolated\u2069",
    "zero\u200bwidth\ufeff\u00ad",
    "next\x85line\u2028separator",
    "flood" + "\u0301\u0489" * 40,
    "\u0336over what stands before",
    "unseen\u3164filler\u034f",
    "[/x]",
    "[id]",
    "[bold red]x[/]",
    ":smile:",
    ":+1: :100:",
    "::stop-commands::x",
    "  ::error file=a,line=1::x",
    f"{'fold ' * 30}::warning::x",
    "a ##[error]x",
    "###[group]x",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[buildStop comment='x']",
    '=HYPERLINK("x","y")',
    '"=HYPERLINK(1)"',
    "x;=HYPERLINK(1)",
    "x,=1+1",
    "x|@SUM(1)",
    'x;"=1+1"',
    "x; =1+1",
    "x;-1+1",
    "x; +cmd|' !A0",
    "x, -2+3+cmd|' !A0",
    "'=1+1",
    "\uff1d1+1",
    "+1+1",
    "-1-1",
    "@SUM(1)",
    "=cmd|'calc'!A1",
    "<script>alert(1)<",
    "<b onclick=x>bold<",
    "&lt;b&gt;&amp;&#60;",
    "]]><!--x-->",
    "100%_$x^2${}~#\\textbf",
    "$x$ and $y$",
    "_hidden",
    "a|b",
    "`code` ``x`` @name",
    "*bold*_it_~~no~~",
    "![alt](x)[l](y)[^1]",
    "@name",
    "to @some-org and you@example.org",
    "#12 GH-12 a#12",
    "!12 %12 ~bug &12",
    "[vulnerability:123] [issue:5] [feature_flag:7]",
    "^alert#1 *iteration:5",
    "deadbeef 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    "www.example.org http:x ftp:",
    "a,b;c",
    "\"quoted\" 'name'",
    "#1. heading",
    "- [ ] task",
    "%s%n{case}{0}",
    "né汉字🦴",
    "\uffff\ufffe",
    "--output=x",
    "$(touch x)`touch y`;touch z",
]
if sys.platform == "linux":
    NAMES.append(os.fsdecode(b"caf\xe9\xff"))
#: What may be called so, though no file is.
TITLES = [*NAMES, "https://example.org/x", "some/repo#12", "@org/team"]


def back(text):
    """Return the name that an escaped one stands for; a name with a backslash of its own has no escapes here."""
    return text if "textbf" in text else _unescaped(text)


def _unescaped(text):
    return re.sub(
        r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])",
        lambda match: match[0].encode().decode("unicode_escape"),
        text,
    )


def in_log(text):
    """Yield what a line of a log would have a CI service do.

    GitHub's runner (actions/runner, ActionCommand.cs) takes ``::word ...::`` at the start of a line, spaces
    before it or not, and ``##[word ...]`` anywhere; Azure's agent ``##vso[``, TeamCity ``##teamcity[``.
    """
    for line in re.split(r"\r\n|\r|\n", re.sub(r"\x1b\[[0-9;]*m", "", text)):
        found = re.match(r"\s*::([^:\s]+)(?:\s.*?)?::", line) or re.search(r"##\w*\[", line)
        if found:
            yield f"command: {line}"


#: What is drawn over the character before.
_MARK = "[\u0300-\u036f\u0483-\u0489]"


def on_terminal(text):
    """Yield what a text does to a terminal, but for the styles of the command line itself."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    if not is_plain("".join({*text})):
        yield f"control: {text!a}"
    for found in re.finditer(rf"(?:^|[\s|\"'(/]){_MARK}|{_MARK}{{5,}}", text):
        yield f"marks: {text[max(found.start() - 20, 0) : found.end()]!a}"
    if found := re.search("[\u034f\u115f\u1160\u3164\uffa0]", text):
        yield f"unseen: {found[0]!a}"


_FORMULA, _NUMBER = "=+-@\uff1d\uff0b\uff0d\uff20", re.compile(r"[+-][0-9.]+(?:e[+-]?[0-9]+)?(?:[)\]}].*)?")


def in_sheet(text):
    """Yield what is a formula in a CSV, whatever separates cells, and whether quotes hold them together."""
    for separator in ",;\t|":
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            for row in csv.reader(io.StringIO(text), delimiter=separator, quoting=quoting):
                for cell in row:
                    inner = cell.strip(' "')
                    # Behind a space prose has signs, as those of options, but neither bars nor more signs.
                    is_whole = cell.strip('"').startswith(inner[:1]) or re.match(r"[+-]\S*[+|]", inner)
                    signs = _FORMULA if is_whole else "=@\uff1d\uff20"
                    if inner.startswith(tuple(signs)) and not _NUMBER.fullmatch(inner):
                        yield f"formula, by {separator!r}: {cell}"


class _Page(HTMLParser):
    """Collects the elements of HTML with their attributes, texts that nothing divides, and what blocks say."""

    def __init__(self):
        super().__init__()
        self.found, self.texts, self.blocks = set(), [""], [""]

    def handle_starttag(self, tag, attrs):
        self.found |= {tag, *(f"{tag} {name}" for name, _ in attrs)}
        self.texts.append("")
        if tag in {"td", "th", "li", "p", "h2", "dd", "dt"}:
            self.blocks.append("")

    def handle_endtag(self, tag):
        del tag
        self.texts.append("")

    def handle_comment(self, data):
        del data
        self.texts.append("")

    def handle_data(self, data):
        self.texts[-1] += data
        self.blocks[-1] += data


_TABLES = {"table", "thead", "tbody", "tr", "th", "td", "h2", "p"}
_OF_MARKDOWN = {*_TABLES, "ul", "li", "strong", "th style", "td style"}
_OF_PAGE = {
    *_TABLES,
    *("html", "head", "meta", "title", "style", "body", "div", "dl", "dt", "dd"),
    *("html lang", "meta charset", "meta name", "meta content"),
    *(f"{each} class" for each in ("div", "dl", "p", "td", "th", "tr")),
}
#: What services make of whole texts of a rendered page.
_IN_TEXT = {
    "mention": r"(?<!\w)@\w",
    "mail": r"[\w.+-]+@[\w-]+\.\w",
    "reference": r"[#!&%]\d|[~%][\w\"]|(?i:\bgh-\d)|(?i:\[[a-z_]+:|\^[a-z]+#|\*[a-z]+:)",
    "link": r"(?i:\b[a-z]+://|\bwww\.)",
    "emoji": r":(?:[+-]1|100|1234|[\w+-]*[A-Za-z][\w+-]*):",
    "mathematics": r"\$[^$]+\$",
    "commit": r"\b(?=\d*[a-fA-F])[\da-fA-F]{7,40}\b",
}


def page(text):
    """Return what is in a page: elements, texts, blocks."""
    read = _Page()
    read.feed(text)
    read.close()
    return read


def rendered(text):
    """Return the page that a reader of GitHub's Markdown makes of a text."""
    from markdown_it import MarkdownIt

    return page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


def in_markdown(text):
    """Yield what Markdown makes of a text beside tables, lists and headings, and services of what is shown."""
    # The checksum of the labels is the report's own, and stands whole: services make nothing of code.
    text = re.sub(r"\(SHA-256 `[\da-f]{12}`\)", "(SHA-256)", text)
    found = rendered(text)
    yield from (f"element {each}" for each in found.found - _OF_MARKDOWN)
    for each in found.texts:
        for kind, pattern in _IN_TEXT.items():
            yield from (f"{kind}: {part[0]} in {each}" for part in re.finditer(pattern, each))
    if re.search(r"(?<!\\)\$", text):
        yield "mathematics, in the source"


def in_page(text):
    """Yield the elements and attributes of a page that are none of its own."""
    yield from (f"element {each}" for each in page(text).found - _OF_PAGE)


def in_xml(text):
    """Yield the elements that are none of JUnit."""
    own = {"testsuites", "testsuite", "testcase", "error", "failure", "skipped", "system-out"}
    own |= {"properties", "property"}
    yield from {each.tag for each in ET.fromstring(text).iter()} - own  # noqa: S314 - our own output


def in_json(text):
    """Yield what is not whole: JSON parses, whatever numbers it has."""
    json.loads(text)
    yield from ()


#: What reads each form of a text, besides a terminal and a log, which read all of them.
READERS = {
    "table": lambda _: (),
    "csv": in_sheet,
    "json": in_json,
    "nnunet": in_json,
    "markdown": in_markdown,
    "html": in_page,
    "junit": in_xml,
}


def acting(form, text):
    """Return what acts in a text of a form."""
    read = READERS.get(form, lambda _: ())  # what nobody reads here is seen on a terminal and in a log
    return [*on_terminal(text), *in_log(text), *read(text)]


def cells(form, text):
    """Return the texts that stand in a form, each whole, as it was before it was made inert."""
    if form in {"json", "nnunet"}:
        return {*_strings(json.loads(text))}
    if form == "csv":
        from dicecli.reports.text import out_of_cell

        return {back(out_of_cell(cell)) for row in csv.reader(io.StringIO(text)) for cell in row}
    if form == "junit":
        return {back(value) for each in ET.fromstring(text).iter() for value in each.attrib.values()}  # noqa: S314
    blocks = page(text).blocks if form == "html" else rendered(text).blocks
    return {back(each.strip()) for each in blocks}


def _strings(content):
    if isinstance(content, dict):
        yield from content
        content = content.values()
    elif not isinstance(content, list):
        yield content
        return
    for each in content:
        yield from _strings(each)


def missing(form, text, names):
    """Return the names that a text does not show whole: in a cell, or in lines whose folds are taken out."""
    if form not in READERS:
        return []
    if form == "table":
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        every = [_folded(_unescaped(plain)), _folded(plain)]
        return [name for name in names if not any(_folded(name) in each for each in every)]
    found = [*map(str, cells(form, text))]
    return [name for name in names if not any(name.strip() in each for each in found)]


def _folded(text):
    return "".join(text.split())
