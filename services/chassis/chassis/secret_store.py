"""Secrets by location: a file on one machine, AWS Secrets Manager in the cloud.

Read at run time and not injected, so that a rotation needs no new process.
"""

import os
import tempfile
from pathlib import Path

from chassis import aws


def read_secret(location: str) -> str | None:
    """The secret at ``location`` (an absolute path, or the ARN of a secret); ``None`` where none was written yet."""
    if not location.startswith("arn:"):
        path = Path(location)
        return path.read_text() if path.exists() else None
    client = aws.secrets_manager()
    try:
        return client.get_secret_value(SecretId=location).get("SecretString")
    except client.exceptions.ResourceNotFoundException:
        return None


def write_secret(location: str, value: str) -> None:
    """Replace the secret at ``location`` as a whole; a file is readable by its owner alone."""
    if location.startswith("arn:"):
        aws.secrets_manager().put_secret_value(SecretId=location, SecretString=value)
        return
    path = Path(location)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)
