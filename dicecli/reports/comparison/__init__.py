"""A run beside an earlier one: over the cases that both scored, number by number."""
