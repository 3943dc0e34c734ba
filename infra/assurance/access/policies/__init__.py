"""IAM's policy language: documents read, and requests decided by them as AWS decides."""
