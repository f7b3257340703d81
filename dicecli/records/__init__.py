"""What travels to workers, journals and reports."""
