"""Commits that must not get on."""
