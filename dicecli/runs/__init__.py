"""Files become results, whatever happens."""
