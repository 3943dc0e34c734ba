"""Cells, key services and what is remembered of them."""
