"""Tests of the backend's export and erasure."""
