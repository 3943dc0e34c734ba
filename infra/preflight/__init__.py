"""Asks the operator's account whether a deployment will succeed. Imports no CDK, and changes nothing unless told to."""
