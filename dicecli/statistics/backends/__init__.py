"""What counts pixels, one module each.

A backend module has ``count_block(reference, prediction)``, which takes two integer arrays of one shape and
returns their :class:`~dicecli.statistics._confusion.ConfusionMatrix`, exact at any size; and ``describe()``,
a line that says what it runs on.
"""
