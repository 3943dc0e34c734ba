"""Tests of services/ai_core."""
