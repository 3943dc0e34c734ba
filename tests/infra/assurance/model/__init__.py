"""Assemblies read, functions computed, names resolved."""
