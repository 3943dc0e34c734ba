"""The public API: accounts, tokens, conversations and messages; the only way in to the AI core."""
