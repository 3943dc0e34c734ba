"""The processes of the AI core with the memory that the cloud has: OpenSearch."""

import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ai_core.settings import MemorySettings

from local.ports import free_port
from tests.ai_core.conftest import as_backend, coverage_variables, started
from tests.ai_core.keys_along import KeysAlong
from tests.support.aws import CREDENTIALS, REGION


@pytest.fixture
def cloud(environment: dict[str, str]) -> dict[str, str]:
    """A process's environment, whose domain is nowhere."""
    without = {name: value for name, value in environment.items() if not name.startswith("DATABASE_")}
    domain = {"MEMORY_STORE": "opensearch", "MEMORY_URL": f"https://localhost:{free_port()}", "MEMORY_AUTH": "sigv4"}
    return without | domain | CREDENTIALS | {"AWS_REGION": REGION, "PORT": str(free_port())}


def message(content: str) -> dict[str, Any]:
    return {
        "message_id": str(uuid4()),
        "sender": "user",
        "content": content,
        "created_at": datetime.now(UTC).isoformat(),
    }


def run_task(environment: dict[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ai_core.prepare_memory"],
        env=environment | coverage_variables(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.xdist_group("opensearch")
def test_what_the_task_has_prepared_serves_every_route(
    cloud: dict[str, str],
    opensearch_over_mtls: MemorySettings,
    tls: ssl.SSLContext,
    keys: KeysAlong,
    tmp_path: Path,
) -> None:
    cloud |= {name.upper(): str(value) for name, value in opensearch_over_mtls.model_dump().items()}
    task = run_task(cloud, tmp_path)
    assert task.returncode == 0, task.stderr
    memories = f"/v1/users/{uuid4()}/memories"
    body = {"conversation_id": str(uuid4()), "messages": [message("I was laid off in March.")]}
    with (
        started(cloud, tmp_path / "log") as process,
        as_backend(process, tls, keys) as backend,
    ):
        assert backend.get("/readyz").status_code == 200
        assert backend.put(memories, json=body).status_code == 204
        assert [item["content"] for item in backend.get(memories).json()["items"]] == ["I was laid off in March."]
        (memory,) = backend.get(memories).json()["items"]
        assert backend.post(f"{memories}/renewal").json() == backend.get("/v1/memories/format").json()
        for status in (204, 404):
            assert backend.delete(f"{memories}/{memory['memory_id']}").status_code == status
        assert backend.put(memories, json=body).status_code == 204
        assert backend.get(memories).json() == {"items": [], "next": None}
        assert backend.delete(memories).status_code == 204
        assert backend.put(memories, json=body).status_code == 410
        assert backend.get(memories).json() == {"items": [], "next": None}
    assert "laid off" not in process.log.read_text()


def test_without_its_domain_it_lives_but_is_not_ready(
    cloud: dict[str, str], tls: ssl.SSLContext, keys: KeysAlong, tmp_path: Path
) -> None:
    with (
        started(cloud, tmp_path / "log") as process,
        as_backend(process, tls, keys) as backend,
    ):
        assert backend.get("/healthz").status_code == 200
        for answer in (backend.get("/readyz"), backend.get(f"/v1/users/{uuid4()}/memories")):
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"]


def test_the_task_says_why_it_cannot_prepare(cloud: dict[str, str], tmp_path: Path) -> None:
    del cloud["AWS_REGION"]
    done = run_task(cloud | {"AWS_CONFIG_FILE": "/dev/null"}, tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "AWS credentials and a region" in done.stderr
