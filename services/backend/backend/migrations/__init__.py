"""The schema of the user database, step by step."""
