"""The programs of `tools`."""
