"""What runs many cases, one module each.

An executor module has ``run(function, items, jobs, lost)``. It yields ``(position, function(item))`` once
for every item, as they are done, in any order. Where a worker is lost together with an item,
``lost(item, reason)`` is that item's result. An executor that can stop an item amid its work has ``timeout``
and ``late`` as well: ``late(item)`` is the result of one that took longer than so many seconds.
"""
