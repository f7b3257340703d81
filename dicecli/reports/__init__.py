"""Results become what people and machines read."""
