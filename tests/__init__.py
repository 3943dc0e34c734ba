"""Tests of the whole of Sanctum; the folders mirror the code."""
