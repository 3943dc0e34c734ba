"""Tests of the known rules, and of what is accepted of them."""
