"""The preflight, asked of accounts that answer as AWS does."""
