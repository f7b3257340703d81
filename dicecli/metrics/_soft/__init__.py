"""The scores of probability maps."""
