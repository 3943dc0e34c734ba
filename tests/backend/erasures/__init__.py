"""Tests of receipts of erasures."""
