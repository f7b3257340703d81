"""JUnit XML: a test case per case and per gate, with the notes, for what CI services show."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from dicecli.records.cases import Failed
from dicecli.reports.averages import alone
from dicecli.reports.origins import said
from dicecli.reports.presentation import figure
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.records.cases import Verdict
    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report
    from dicecli.reports.rows import CaseValues

SUFFIXES = (".xml",)
PARTS = ("report",)


def render(report: Report, part: Part, look: Look) -> str:
    """Return two suites: the cases, where one without numbers is an error or skipped, and the gates."""
    del part, look
    cases = [_case(case, report) for case in report.cases()]
    gates, notes = [_gate(verdict) for verdict in report.verdicts], report.notes_on_run
    broken = report.number("failed") + report.number("pending")
    failures = sum(not each.holds for each in report.verdicts)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="dicecli" tests="{len(cases) + len(gates)}" failures="{failures}" '
        f'errors="{broken}">',
        f'  <testsuite name="cases" tests="{len(cases)}" failures="0" errors="{broken}" '
        f'skipped="{report.number("missing")}">',
        *_properties(report),
        *cases,
        *([f"    <system-out>{escape(_notes(notes))}</system-out>"] if notes else []),
        "  </testsuite>",
        f'  <testsuite name="gates" tests="{len(gates)}" failures="{failures}" errors="0" skipped="0">',
        *gates,
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _properties(report: Report) -> list[str]:
    """Return where the report comes from."""
    lines = [
        f"      <property name={_quoted(word)} value={_quoted(text)}/>"
        for word, text in said(report.origin, verbose=True)
    ]
    return ["    <properties>", *lines, "    </properties>"] if lines else []


def _case(case: CaseValues | Failed, report: Report) -> str:
    if isinstance(case, Failed):
        start = f'    <testcase classname="cases" name={_quoted(case.case.name)}>'
        tag = "skipped" if case.status == "missing" else "error"
        kind = "" if tag == "skipped" else f" type={_quoted(case.error)}"
        body = escape(f"{inert(case.message)}\nHint: {inert(case.hint)}")
        return f"{start}<{tag}{kind} message={_quoted(case.message)}>{body}</{tag}></testcase>"
    leads = [(alone(report.leading(each), each), each.name) for each in report.shown if each.averaged]
    said = [f"{average} {name} {figure(case.averages[average][name].value)}" for average, name in leads]
    start = f'    <testcase classname="cases" name={_quoted(case.result.case.name)}>'
    text = "\n".join([", ".join(said), *([_notes(case.notes)] if case.notes else [])])
    return f"{start}<system-out>{escape(text)}</system-out></testcase>"


def _notes(notes: tuple[str, ...]) -> str:
    return "\n".join(f"Note: {inert(each)}" for each in notes)


def _gate(verdict: Verdict) -> str:
    start = f'    <testcase classname="gates" name={_quoted(verdict.gate)}>'
    said = f"value {figure(verdict.value)}, limit {verdict.limit:g}. {inert(verdict.detail)}".rstrip(". ")
    if verdict.holds:
        return f"{start}<system-out>{escape(said)}</system-out></testcase>"
    return f'{start}<failure type="gate" message={_quoted(said)}>{escape(said)}</failure></testcase>'


def _quoted(text: str) -> str:
    return quoteattr(inert(text))
