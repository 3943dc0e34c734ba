"""Tests of the backend's conversations."""
