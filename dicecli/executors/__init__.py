"""What runs many cases, one module each.

An executor module has ``run(function, items, jobs)``, which yields ``function(item)`` for every item, in the
order of the items.
"""
