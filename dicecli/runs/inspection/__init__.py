"""What files are as masks or as maps of probabilities, one by one, in folders and in pairs."""
