"""Transport, rest and posture: what the tables and settings of templates mean."""
