"""Accounts and sign-ins: who calls, and until when."""
