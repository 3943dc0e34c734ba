"""Tests of services/chassis."""
