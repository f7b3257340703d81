"""Reports on probability maps."""
