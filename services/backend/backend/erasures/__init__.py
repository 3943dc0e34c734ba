"""Receipts of erasures, and when they are over in the backups too."""
