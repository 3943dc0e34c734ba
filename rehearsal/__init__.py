"""A deployment's whole life on one machine: unchanged templates, on a local emulator of AWS with real containers."""
