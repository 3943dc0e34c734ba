"""A person's whole life against a public address; its programs need Python's own library alone."""
