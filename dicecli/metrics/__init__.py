"""The metrics: one decorated function each, in a module of its family; they see no pixels.

A function takes what one statistic has measured, by default a :class:`~dicecli.records.counts.Counts`, and
returns a float, NaN where it is undefined. Adding one is adding a function here; the catalogue, the command
line, the reports and the contract tests find it.
"""

from dicecli.metrics._catalogue import BOTH_EMPTY, metric
from dicecli.metrics._parameter import Parameter
from dicecli.records.wholes import ratio

__all__ = ["BOTH_EMPTY", "Parameter", "metric", "ratio"]
