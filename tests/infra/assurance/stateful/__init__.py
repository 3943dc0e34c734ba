"""Tests of what a deployment would lose."""
