"""Legends: the forms in which the names and colours of labels are written down, a module each.

A module has

``CALLED`` : str
    The form in a few words, as hints and ``dicecli labels`` name it.
``is_of(written)`` : bool
    Whether a file is of this form, by its content; quick, and true of no file that another form takes.
``read(written)`` : LabelScheme
    What it says, or a LabelFileError that names the file and, in a text, the line.

``written`` is a :class:`~dicecli.records.legends._written.Written`; ``_entries`` makes a scheme of labels.
"""
