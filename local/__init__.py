"""Sanctum on one machine: the real parts, started from the same service descriptions as in the cloud."""
