"""What runs many cases, one module each.

An executor module has ``run(function, items, jobs, lost)``. It yields ``(position, function(item))`` once
for every item, as they are done, in any order. Where a worker is lost together with an item,
``lost(item, reason)`` is that item's result.
"""
