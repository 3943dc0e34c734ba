"""Faults put into sealing on purpose: a test that catches none of them would prove nothing."""
