"""TLS, and how the server ends."""

import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from chassis.server import tls_context
from chassis.settings import ServiceSettings

from tests.chassis.conftest import Service, started
from tests.chassis.service import STEPS
from tests.support.waiting import eventually


def handshake(port: int, ca: Path, version: ssl.TLSVersion, ciphers: str = "DEFAULT:@SECLEVEL=0") -> str | None:
    """The TLS version that a client of exactly ``version`` gets at ``port``."""
    context = ssl.create_default_context(cafile=ca)
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("localhost", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        return encrypted.version()


@pytest.fixture
def control(service: Service) -> Iterator[int]:
    """A server that does speak TLS 1.1, or the refusals of the other would prove nothing about it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(service.folder / "server.pem", service.folder / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, context.wrap_socket(connection, server_side=True):
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_1_1_is_refused(service: Service, control: int) -> None:
    assert handshake(control, service.ca, ssl.TLSVersion.TLSv1_1) == "TLSv1.1"
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(service.port, service.ca, ssl.TLSVersion.TLSv1_1)


@pytest.mark.parametrize(
    ("version", "name"), [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]
)
def test_tls_1_2_and_1_3_are_spoken(service: Service, version: ssl.TLSVersion, name: str) -> None:
    assert handshake(service.port, service.ca, version) == name


@pytest.mark.parametrize("ciphers", ["AES256-GCM-SHA384:@SECLEVEL=0", "ECDHE+AES+SHA:@SECLEVEL=0"])
def test_a_cipher_without_forward_secrecy_or_authentication_is_refused(service: Service, ciphers: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(service.port, service.ca, ssl.TLSVersion.TLSv1_2, ciphers)


def test_plain_http_is_refused(service: Service) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://localhost:{service.port}/healthz")


def test_without_files_a_server_makes_a_certificate_of_its_own() -> None:
    settings = ServiceSettings(port=1, deregistration_seconds=0, drain_seconds=1)
    first, second = (tls_context(settings, None) for _ in range(2))
    assert first.minimum_version == ssl.TLSVersion.TLSv1_2
    assert first.verify_mode == second.verify_mode == ssl.CERT_NONE


def test_sigterm_finishes_what_runs_and_then_ends_well(tmp_path: Path) -> None:
    with started(tmp_path) as service, service.client() as client:
        with client.stream("GET", "/streams") as answer:
            lines = answer.iter_lines()
            heard = [next(lines)]
            service.process.send_signal(signal.SIGTERM)
            heard += lines
        assert heard == [str(step) for step in range(STEPS)]
        assert service.process.wait(30) == 0
        assert '"service.closed"' in service.log


def test_a_client_that_waits_for_nothing_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with started(tmp_path, DRAIN_SECONDS="60") as service, service.client() as client:
        client.get("/healthz")  # and keeps the connection, and reads no more
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(15) == 0


def test_while_the_load_balancer_still_sends_it_still_serves(tmp_path: Path) -> None:
    with started(tmp_path, DEREGISTRATION_SECONDS="3") as service:
        service.process.send_signal(signal.SIGTERM)
        with service.client() as newcomer:
            # No connection is left that the next request could come on when it is closed.
            eventually(lambda: newcomer.get("/healthz").raise_for_status().headers.get("connection") == "close")
        assert service.process.wait(30) == 0
        with service.client() as late, pytest.raises(httpx.ConnectError):
            late.get("/healthz")


def test_what_does_not_end_in_time_is_cut_off(tmp_path: Path) -> None:
    with started(tmp_path, DRAIN_SECONDS="1") as service, service.client() as client:
        with client.stream("GET", "/streams?steps=1000") as answer:
            lines = answer.iter_lines()
            next(lines)
            service.process.send_signal(signal.SIGTERM)
            with pytest.raises(httpx.RemoteProtocolError):
                list(lines)
        assert service.process.wait(30) == 0
        assert '"service.closed"' in service.log
