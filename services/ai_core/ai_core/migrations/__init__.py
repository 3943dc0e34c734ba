"""The schema of the memory database, one step a file."""
