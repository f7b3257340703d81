"""What a report is written as, one module each: its name is the user's word.

An exporter module has ``SUFFIXES``, the suffixes of files that it answers to, and ``render(report, **look)``,
which returns the whole report as text. `look` is what concerns people's eyes only: ``width`` and ``colour``
of the terminal, ``verbose``; machine formats take it and pay no heed.
"""
