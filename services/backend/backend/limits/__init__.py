"""What one person, or one address, may do: how fast, and how much of what costs."""
