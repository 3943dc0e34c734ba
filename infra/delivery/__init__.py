"""How a merge reaches people."""
