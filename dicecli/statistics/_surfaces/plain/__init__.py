"""The engine without its part in C: the same bits, with NumPy alone."""
