"""Two masks become measurements."""
