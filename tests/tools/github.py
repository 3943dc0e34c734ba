"""A stand-in for GitHub's API: one repository's issues, comments, pull requests and artifacts, over HTTP."""

import json
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tools.github_api import ROBOT, Repository

Json = Any
NAME = "people/sanctum"
TOKEN = "the token of the job"


class GitHub(ThreadingHTTPServer):
    """What it holds may be set and read."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.head = "newest"
        self.issues: list[Json] = []
        self.comments: list[Json] = []
        self.pulls: list[Json] = []
        self.artifacts: dict[int, bytes] = {}
        self.tokens: list[tuple[str, str | None]] = []
        """Path and Authorization of each call."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def repository(self) -> Repository:
        """The repository as a job knows it."""
        return Repository(self.url, NAME, TOKEN)

    def comment(self, issue: int, body: str, who: str = ROBOT) -> Json:
        """Add a comment."""
        self.comments.append({"id": len(self.comments) + 1, "issue": issue, "body": body, "user": {"login": who}})
        return self.comments[-1]

    def issue(self, title: str, who: str = ROBOT) -> Json:
        """Open an issue."""
        self.issues.append({"number": len(self.issues) + 1, "title": title, "state": "open", "user": {"login": who}})
        return self.issues[-1]

    def answer(self, method: str, path: str, query: dict[str, str], content: Json) -> Json:
        """What the API answers to a call below the repository; None where it has no such thing."""
        answer: Json = None
        match method, path.split("/"):
            case "GET", ["issues"]:
                answer = [issue for issue in self.issues if self._is_asked_for(issue, query)]
            case "POST", ["issues"]:
                answer = self.issue(content["title"]) | content
            case "PATCH", ["issues", number]:
                answer = self._change(self.issues[int(number) - 1], content)
            case "GET", ["issues", number, "comments"]:
                answer = self._page([one for one in self.comments if one["issue"] == int(number)], query)
            case "POST", ["issues", number, "comments"]:
                answer = self.comment(int(number), content["body"])
            case "PATCH", ["issues", "comments", number]:
                answer = self._change(self.comments[int(number) - 1], content)
            case "GET", ["commits", "main"]:
                answer = {"sha": self.head}
            case "GET", ["pulls"]:
                answer = [pull for pull in self.pulls if query == {"state": "open", "head": pull["head"]["label"]}]
            case "GET", ["actions", "runs", run, "artifacts"]:
                answer = self._artifacts(int(run), query)
            case _:
                pass
        return answer

    def _is_asked_for(self, issue: Json, query: dict[str, str]) -> bool:
        return (issue["state"], issue["user"]["login"]) == (query["state"], query["creator"])

    def _page(self, found: list[Json], query: dict[str, str]) -> list[Json]:
        size, page = int(query["per_page"]), int(query["page"])
        return found[size * (page - 1) : size * page]

    def _change(self, what: Json, content: Json) -> Json:
        what.update(content)
        return what

    def _artifacts(self, run: int, query: dict[str, str]) -> Json:
        there = run in self.artifacts and query == {"name": "template-diff"}
        return {"artifacts": [{"id": run, "name": "template-diff"}] if there else []}


class _Handler(BaseHTTPRequestHandler):
    server: GitHub  # pyright: ignore[reportIncompatibleVariableOverride]

    def _handle(self) -> None:
        self.server.tokens.append((self.path, self.headers["Authorization"]))
        url = urlsplit(self.path)
        length = int(self.headers["Content-Length"] or 0)
        content = json.loads(self.rfile.read(length)) if length else None
        path = url.path.removeprefix(f"/repos/{NAME}/")
        if found := re.fullmatch(r"actions/artifacts/(\d+)/zip", path):
            self.send_response(302)
            self.send_header("Location", f"{self.server.url}/files/{found[1]}")
            self.end_headers()
        elif found := re.fullmatch(r"/files/(\d+)", url.path):
            self._send(200, self.server.artifacts[int(found[1])])
        else:
            answer = self.server.answer(self.command, path, dict(parse_qsl(url.query)), content)
            self._send(404 if answer is None else 200, json.dumps(answer).encode())

    do_GET = do_POST = do_PATCH = _handle  # noqa: N815  # their names in the library

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the library
        pass


@contextmanager
def running() -> Generator[GitHub]:
    """It listens as long as the block runs."""
    with GitHub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
