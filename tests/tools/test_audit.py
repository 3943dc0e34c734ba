"""A known vulnerability of anything that is locked fails, until somebody answers for it; so does silence.

pip-audit and npm are the real ones; who answers them is a server of the test.
"""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.test_repository import LOCKS, tracked
from tests.tools.installed import require_dependency_tools
from tools import audit
from tools.audit import Finding, Unanswered
from tools.locks import Locked

Json = dict[str, Any]
NPM = "/-/npm/v1/security/advisories/bulk"
PYTHON_ADVISORY: Json = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-0001"],
    "summary": "Says too much",
    "affected": [{"package": {"name": "idna", "ecosystem": "PyPI"}, "ranges": []}],
}
NPM_ADVISORY: Json = {
    "id": 1,
    "url": "https://github.com/advisories/GHSA-dddd-eeee-ffff",
    "title": "Writes too much",
    "severity": "high",
    "vulnerable_versions": "<99999.0.0",
}


class Advisories(ThreadingHTTPServer):
    """OSV and npm's registry. What each knows is what the test says; `status` is how both answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.python: dict[tuple[str, str], list[Json]] = {}
        self.npm: dict[str, list[Json]] = {}
        self.status = 200
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def osv(self) -> str:
        """Where OSV is asked."""
        return f"{self.url}/osv"


class _Handler(BaseHTTPRequestHandler):
    server: Advisories  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer: Json = self.server.npm
        if self.path == "/osv":
            question = json.loads(body)
            asked = question["package"]["name"], question["version"]
            self.server.asked.append(asked)
            known = self.server.python.get(asked)
            answer = {"vulns": known} if known else {}
        self._answer(self.server.status, answer)

    def do_GET(self) -> None:
        self._answer(404, {})

    def _answer(self, status: int, answer: Json) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the library
        pass


@pytest.fixture
def advisories() -> Iterator[Advisories]:
    """Nothing is known of anything yet."""
    require_dependency_tools()
    with Advisories() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def accepted(tmp_path: Path) -> Path:
    """An empty register."""
    file = tmp_path / "accepted.toml"
    file.touch()
    return file


def _row(package: str, vulnerability: str, *, days: int = 30) -> str:
    day = datetime.now(UTC).date() + timedelta(days=days)
    return (
        f'[[accepted]]\npackage = "{package}"\nvulnerability = "{vulnerability}"\nowner = "security"\n'
        f'reason = "It concerns what nothing here calls."\nexpires = {day}\n'
    )


def test_every_lock_file_is_audited() -> None:
    assert {lock for lock in LOCKS if "overrides" not in lock.name} <= {*audit.lock_files()}
    assert {file for file in tracked() if file.name == "package-lock.json"} <= {*audit.npm_locks()}


def test_every_version_is_asked_about_wherever_it_is_installed(advisories: Advisories) -> None:
    rows = [Locked("numpy", "2.4.6", "python_version < '3.12'"), Locked("numpy", "2.5.5", "python_version >= '3.12'")]
    assert list(audit.of_python([*rows, Locked("idna", "3.20")], advisories.osv)) == []
    assert sorted(advisories.asked) == [("idna", "3.20"), ("numpy", "2.4.6"), ("numpy", "2.5.5")]


def test_a_known_vulnerability_of_a_python_package_is_found(advisories: Advisories) -> None:
    advisories.python["idna", "3.20"] = [PYTHON_ADVISORY]
    found = list(audit.of_python([Locked("idna", "3.20"), Locked("yarl", "1.0")], advisories.osv))
    assert found == [Finding("idna", "3.20", ("CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"), "Says too much")]


def test_a_known_vulnerability_of_an_npm_package_is_found(advisories: Advisories) -> None:
    assert list(audit.of_npm(registry=advisories.url)) == []
    advisories.npm["aws-cdk"] = [NPM_ADVISORY]
    assert list(audit.of_npm(registry=advisories.url)) == [
        Finding("aws-cdk", "<99999.0.0", ("GHSA-dddd-eeee-ffff",), "Writes too much")
    ]


@pytest.mark.parametrize("status", [403, 500])
def test_no_answer_is_no_good_answer(advisories: Advisories, status: int) -> None:
    advisories.status = status
    with pytest.raises(Unanswered):
        list(audit.of_python([Locked("idna", "3.20")], advisories.osv))
    with pytest.raises(Unanswered):
        list(audit.of_npm(registry=advisories.url))


def test_the_command_fails_for_what_nobody_answers_for(
    advisories: Advisories, accepted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = accepted.with_name("requirements.txt")
    lock.write_text("idna==3.20 \\\n    --hash=sha256:aa\n")
    monkeypatch.setattr(audit, "lock_files", lambda: [lock])

    def run() -> int:
        return audit.main(osv=advisories.osv, npm_registry=advisories.url, accepted=accepted)

    assert run() == 0
    advisories.python["idna", "3.20"] = [PYTHON_ADVISORY]
    assert run() == 1
    assert "idna 3.20: CVE-2026-0001, GHSA-aaaa-bbbb-cccc: Says too much\n" in capsys.readouterr().out
    accepted.write_text(_row("idna", "CVE-2026-0001"))
    assert run() == 0
    accepted.write_text("[[accepted]]\n")
    assert run() == 2
    accepted.write_text("")
    advisories.status = 500
    assert run() == 2


FOUND = Finding("idna", "3.20", ("GHSA-1", "CVE-1"), "Says too much")


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (_row("idna", "GHSA-1"), []),
        (_row("idna", "CVE-1"), []),
        (_row("idna", "CVE-2"), ["idna 3.20: GHSA-1", "number 1: idna has no CVE-2 any more"]),
        (_row("yarl", "CVE-1"), ["idna 3.20: GHSA-1", "number 1: yarl has no CVE-1 any more"]),
        (_row("idna", "CVE-1", days=-1), ["idna 3.20: GHSA-1", "number 1: expired on"]),
        (_row("idna", "CVE-1", days=900), ["idna 3.20: GHSA-1", "number 1: expires on"]),
    ],
    ids=["by its name", "by another name", "another one", "of another package", "expired", "for too long"],
)
def test_a_row_accepts_one_vulnerability_of_one_package_for_a_time(accepted: Path, row: str, wrong: list[str]) -> None:
    accepted.write_text(row)
    rows = audit.read_decisions(accepted, {"package": str, "vulnerability": str})
    lines = audit.judged([FOUND, FOUND], rows)
    assert len(lines) == len(wrong)
    assert all(part in line for part, line in zip(wrong, lines, strict=True))


def test_the_register_of_the_repository_can_be_read() -> None:
    audit.read_decisions(audit.ACCEPTED, {"package": str, "vulnerability": str})
