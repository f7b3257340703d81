"""What a report is written as, one module each: its name is the user's word.

An exporter module has ``SUFFIXES``, the suffixes of files that it answers to; ``PARTS``, what of a report it
renders, of the table :data:`dicecli.reports.parts.PARTS`; and ``render(report, part, look)``, which returns
that part of a :class:`~dicecli.reports.report.Report` as text, or as bytes, whatever its predictions are, of
one case or of many. The :class:`~dicecli.reports.look.Look` concerns people's eyes only; machine formats take
it and pay no heed. One that may lack a package has ``check(part)``, which raises before the work begins.
"""
