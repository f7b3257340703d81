"""What a report is written as, one module each: its name is the user's word.

An exporter module has ``SUFFIXES``, the suffixes of files that it answers to; ``PARTS``, what of a report it
renders: ``report`` (all of it), ``summary`` (what sums it up, without its cases), ``curve`` (of maps of
probabilities, along the thresholds); and ``render(report, part, look)``, which returns that part of a
:class:`~dicecli.reports.report.Report` as text, whatever its predictions are, of one case or of many. The
:class:`~dicecli.reports.look.Look` concerns people's eyes only; machine formats take it and pay no heed.
"""
