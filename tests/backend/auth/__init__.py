"""Tests of the backend's accounts and sign-ins."""
