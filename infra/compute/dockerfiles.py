"""What ``services/<name>/Dockerfile`` decides and templates repeat. Imports no CDK: a test compares them."""

USER = "10001:10001"
"""Whom processes run as, by numbers."""
RDS_CA_FILE = "/srv/rds-ca.pem"
"""Where the backend's image has the authorities that sign the database's certificate."""
