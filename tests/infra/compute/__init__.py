"""What runs, and the ways in to it."""
