"""Sanctum on one machine."""
