"""Who is told when something is wrong, what is written down about the account, and what it may cost."""
