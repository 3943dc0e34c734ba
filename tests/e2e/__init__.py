"""The running system, talked to over its public address alone."""
