"""Every hop is TLS 1.2 or newer, verified, and closed to whoever has no certificate for it."""

import http.client
import os
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local import postgres, postgres_binaries
from local.certificates import Authority, Leaf
from tests.support.inside import environment_of
from tests.support.running import Sanctum


def _handshake(port: int, context: ssl.SSLContext) -> str | None:
    """Connect, ask for a page so that a refusal that TLS 1.3 sends late is seen too; the TLS version."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=5, context=context)
    try:
        connection.connect()
        version = connection.sock.version()  # pyright: ignore[reportAttributeAccessIssue] - an SSLSocket over HTTPS
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        return version
    finally:
        connection.close()


def _old_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    """Make ``context`` speak TLS 1.1 and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is deprecated is the point
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.fixture
def tls_1_1_server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A control: a server that speaks TLS 1.1, so that the client is known to be able to."""
    authority = Authority("control")
    leaf = authority.issue_server("control", tmp_path)
    authority.write_certificate(tmp_path / "ca.pem")
    context = _old_tls(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    context.load_cert_chain(leaf.certificate, leaf.key)
    with socket.create_server(("localhost", 0)) as listener:

        def answer_once() -> None:
            with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer_once)
        thread.start()
        yield listener.getsockname()[1], tmp_path / "ca.pem"
        thread.join(10)


def test_tls_1_1_is_refused_by_us_and_spoken_by_the_client(sanctum: Sanctum, tls_1_1_server: tuple[int, Path]) -> None:
    port, ca = tls_1_1_server
    assert _handshake(port, _old_tls(ssl.create_default_context(cafile=ca))) == "TLSv1.1"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _handshake(sanctum.port, _old_tls(ssl.create_default_context(cafile=sanctum.ca)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(sanctum: Sanctum, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=sanctum.ca)
    context.minimum_version = context.maximum_version = version
    assert _handshake(sanctum.port, context) == version.name.replace("_", ".")


def test_plain_http_is_refused(sanctum: Sanctum) -> None:
    connection = http.client.HTTPConnection("localhost", sanctum.port, timeout=5)
    connection.request("GET", "/healthz")
    with pytest.raises((http.client.BadStatusLine, ConnectionError)):
        connection.getresponse()
    connection.close()


def test_a_client_that_does_not_know_our_ca_does_not_trust_us(sanctum: Sanctum) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(sanctum.port, ssl.create_default_context())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_the_certificate_names_every_way_to_this_machine(sanctum: Sanctum, host: str) -> None:
    context = ssl.create_default_context(cafile=sanctum.ca)
    with socket.create_connection((host, sanctum.port), 5) as plain, context.wrap_socket(plain, server_hostname=host):
        pass


def test_the_ai_core_talks_with_the_backend_alone(sanctum: Sanctum, tmp_path: Path) -> None:
    backend, ai_core = environment_of("backend", sanctum), environment_of("ai_core", sanctum)
    port = urlsplit(backend["AI_CORE_URL"]).port
    assert port
    stranger = Authority("Sanctum client CA").issue_client("backend", tmp_path)
    server = Leaf(Path(ai_core["TLS_CERT_FILE"]), Path(ai_core["TLS_KEY_FILE"]))
    for leaf in (None, stranger, server):
        context = ssl.create_default_context(cafile=backend["AI_CORE_CA_FILE"])
        if leaf:
            context.load_cert_chain(leaf.certificate, leaf.key)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _handshake(port, context)
    context = ssl.create_default_context(cafile=backend["AI_CORE_CA_FILE"])
    context.load_cert_chain(backend["AI_CORE_CLIENT_CERT_FILE"], backend["AI_CORE_CLIENT_KEY_FILE"])
    assert _handshake(port, context)


def _signing_in(environment: dict[str, str], *, name: str | None = None, sslmode: str = "verify-full") -> str:
    """What PostgreSQL says to whoever signs in with a service's settings; empty when it lets them in."""
    installation = postgres_binaries.install(postgres.TOOLS)
    told = {
        "PGHOST": environment["DATABASE_HOST"],
        "PGPORT": environment["DATABASE_PORT"],
        "PGUSER": environment["DATABASE_USER"],
        "PGPASSWORD": environment["DATABASE_PASSWORD"],
        "PGDATABASE": name or environment["DATABASE_NAME"],
        "PGSSLMODE": sslmode,
        "PGSSLROOTCERT": environment["DATABASE_CA_FILE"],
    }
    psql = [installation / "bin" / "psql", "--no-psqlrc", "--quiet", "--command", "SELECT 1", "--output", os.devnull]
    done = subprocess.run(
        psql,
        env=postgres_binaries.environment(installation) | told,
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    )
    return done.stderr


@pytest.mark.parametrize(("service", "other"), [("backend", "ai_core"), ("ai_core", "backend")])
def test_a_service_opens_its_own_database_over_tls_and_no_other(sanctum: Sanctum, service: str, other: str) -> None:
    environment = environment_of(service, sanctum)
    assert _signing_in(environment) == ""
    assert "no encryption" in _signing_in(environment, sslmode="disable")
    assert "password authentication failed" in _signing_in(environment | {"DATABASE_PASSWORD": "wrong"})
    not_its_own = environment_of(other, sanctum)["DATABASE_NAME"]
    assert "permission denied for database" in _signing_in(environment, name=not_its_own)
