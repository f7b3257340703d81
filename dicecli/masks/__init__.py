"""A file or an array becomes labels or probabilities, window by window."""
