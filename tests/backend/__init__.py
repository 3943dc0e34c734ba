"""Tests of the backend: a real process on a real database, with a stand-in for the AI core."""
