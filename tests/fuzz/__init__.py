"""The API and the wire under input that nobody means well with."""
