"""Tests of what travels with the account."""
