"""Whom a running AI core lets in, how it is found healthy, and when it refuses to start."""

import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.certificates import Authority
from local.postgres import free_port
from tests.ai_core.conftest import Files, Process, as_backend, started
from tests.ai_core.keys_along import KeysAlong
from tests.support.openai_server import OpenAIServer


def refused(environment: dict[str, str], folder: Path) -> str:
    """What ``python -m ai_core`` says when it refuses to start."""
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")}
    done = subprocess.run(
        [sys.executable, "-m", "ai_core"],
        env=environment | coverage,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def test_it_lives_and_is_ready(backend: httpx.Client) -> None:
    for path in ("/healthz", "/readyz"):
        answer = backend.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_who_shows_no_certificate_is_refused(core: Process, files: Files) -> None:
    nobody = ssl.create_default_context(cafile=files.ca)
    with httpx.Client(verify=nobody) as client, pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get(f"{core.url}/healthz")


def test_who_shows_a_certificate_of_another_authority_is_refused(core: Process, files: Files, tmp_path: Path) -> None:
    stranger = Authority("Clients").issue_client("client", tmp_path)
    for certificate, key in ((stranger.certificate, stranger.key), (files.server, files.server_key)):
        context = ssl.create_default_context(cafile=files.ca)
        context.load_cert_chain(certificate, key)
        with httpx.Client(verify=context) as client, pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.get(f"{core.url}/healthz")


def test_without_client_verification_it_does_not_start(environment: dict[str, str], tmp_path: Path) -> None:
    said = refused({k: v for k, v in environment.items() if k != "CLIENT_CA_FILE"}, tmp_path)
    assert "CLIENT_CA_FILE" in said


def test_a_variable_of_the_store_that_is_missing_is_named_at_once(environment: dict[str, str], tmp_path: Path) -> None:
    said = refused({k: v for k, v in environment.items() if k != "DATABASE_HOST"}, tmp_path)
    assert "DATABASE_HOST" in said


def test_behind_signed_calls_it_needs_no_client_certificate(
    environment: dict[str, str], files: Files, tmp_path: Path
) -> None:
    cloud = {k: v for k, v in environment.items() if not k.startswith(("TLS_", "CLIENT_"))}
    with started(cloud | {"CALLER_AUTH": "sigv4", "PORT": str(free_port())}, tmp_path / "log") as process:
        # Its certificate is of its own making; VPC Lattice does not verify it.
        certificate = ssl.get_server_certificate(("localhost", int(process.url.rpartition(":")[2])))
        context = ssl.create_default_context(cadata=certificate)
        context.check_hostname = False
        with httpx.Client(verify=context) as client:
            assert client.get(f"{process.url}/readyz").status_code == 200
    assert files.ca.exists()


def test_without_its_database_it_lives_but_is_not_ready(
    environment: dict[str, str], tls: ssl.SSLContext, keys: KeysAlong, model: OpenAIServer, tmp_path: Path
) -> None:
    ports = {"PORT": str(free_port()), "DATABASE_PORT": str(free_port())}
    with (
        started(environment | ports, tmp_path / "log") as process,
        as_backend(process, tls, keys) as backend,
    ):
        assert backend.get("/healthz").status_code == 200
        asked: dict[str, Any] = {"user_id": str(uuid4()), "persona": "Gem", "history": [], "content": "Hello"}
        assert backend.post("/v1/replies", json=asked).status_code == 200
        assert len(model.requests) == 1
        memories = f"/v1/users/{uuid4()}/memories"
        for answer in (
            backend.get("/readyz"),
            backend.get(memories),
            backend.put(memories, json={"conversation_id": str(uuid4()), "messages": []}),
            backend.post(f"{memories}/renewal"),
            backend.delete(f"{memories}/{uuid4()}"),
            backend.delete(memories),
        ):
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"]


def test_without_its_key_service_nobodys_words_are_read_or_kept_but_replies_go_on(
    environment: dict[str, str], tls: ssl.SSLContext, keys: KeysAlong, model: OpenAIServer, tmp_path: Path
) -> None:
    without = {"PORT": str(free_port()), "KEY_SERVICE": str(tmp_path / "no key")}
    with (
        started(environment | without, tmp_path / "log") as process,
        as_backend(process, tls, keys) as backend,
    ):
        memories = f"/v1/users/{uuid4()}/memories"
        for answer in (
            backend.get(memories),
            backend.put(memories, json={"conversation_id": str(uuid4()), "messages": []}),
            backend.post(f"{memories}/renewal"),
        ):
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"]
        asked: dict[str, Any] = {"user_id": str(uuid4()), "persona": "Gem", "history": [], "content": "Hello"}
        assert backend.post("/v1/replies", json=asked).status_code == 200
        assert len(model.requests) == 1
        # Forgetting needs no key, and a process without one is still of use.
        assert backend.delete(memories).status_code == 204
        assert backend.get("/readyz").status_code == 200
