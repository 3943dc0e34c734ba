"""Tests of the backend's messages and replies."""
