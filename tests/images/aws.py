"""AWS as a task meets it when it starts: credentials for its role, and secrets in AWS Secrets Manager.

Run in a container of its own, by the image's Python: it stands on the standard library alone.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CREDENTIALS = {
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": "an example",
    "Token": "an example",
    "Expiration": "2100-01-01T00:00:00Z",
}
SECRETS: dict[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    """The calls that the tasks make."""

    def do_GET(self) -> None:
        """The credentials of the task's role."""
        self._answer(200, CREDENTIALS)

    def do_POST(self) -> None:
        """AWS Secrets Manager."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        secret = body["SecretId"]
        if self.headers["X-Amz-Target"] == "secretsmanager.PutSecretValue":
            SECRETS[secret] = body["SecretString"]
        if secret in SECRETS:
            self._answer(200, {"ARN": secret, "SecretString": SECRETS[secret]})
        else:
            self._answer(400, {"__type": "ResourceNotFoundException"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
