"""Sanctum on AWS: the CDK application, its settings and the proof of its claims."""
