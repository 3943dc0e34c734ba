"""The TLS front lets in who has a certificate of its clients' authority and nobody else, and passes bytes whole."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import warnings
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local import health, tls_front
from local.certificates import Authority, Leaf
from local.ports import free_port
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
LARGE = b"zymurgy" * 1_500_000
"""More than every buffer on the way holds."""
OWN_FILES = 20
"""What the front has open without a connection, at the most."""


class _Upstream(BaseHTTPRequestHandler):
    """Answers a POST with the digest of its body, and a GET with ``LARGE``."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(LARGE)

    def do_POST(self) -> None:
        self._answer(sha256(self.rfile.read(int(self.headers["Content-Length"]))).hexdigest().encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is called by
        pass


@dataclass(frozen=True)
class Front:
    """A running front."""

    port: int
    ca: Path
    client: Leaf
    folder: Path
    pid: int

    def tls(self, leaf: Leaf | None) -> ssl.SSLContext:
        """What somebody connects with who shows ``leaf``."""
        context = ssl.create_default_context(cafile=self.ca)
        if leaf:
            context.load_cert_chain(leaf.certificate, leaf.key)
        return context

    def connection(self, context: ssl.SSLContext) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)

    def ask(self, context: ssl.SSLContext, method: str = "GET", body: bytes | None = None) -> bytes:
        """The answer of what is behind it; asked for, because TLS 1.3 refuses a client after the client's handshake."""
        connection = self.connection(context)
        try:
            connection.request(method, "/", body)
            return connection.getresponse().read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Upstream) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@contextmanager
def _started(folder: Path, upstream_port: int) -> Generator[Front]:
    """The program until the end of the block, with its files in ``folder``; it is to write nothing."""
    servers, clients = Authority("Servers"), Authority("Clients")
    servers.write_certificate(folder / "ca.pem")
    clients.write_certificate(folder / "clients.pem")
    server, client = servers.issue_server("server", folder), clients.issue_client("client", folder)
    port = free_port()
    environment = {
        "PORT": str(port),
        "UPSTREAM_PORT": str(upstream_port),
        "TLS_CERT_FILE": str(server.certificate),
        "TLS_KEY_FILE": str(server.key),
        "CLIENT_CA_FILE": str(folder / "clients.pem"),
    }
    with (folder / "front.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.tls_front"], env=os.environ | environment, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        answers = health.shakes_hands(port, folder / "ca.pem", client)
        eventually(lambda: answers(process.pid))
        yield Front(port, folder / "ca.pem", client, folder, process.pid)
    finally:
        process.terminate()
        process.wait(10)
    assert (folder / "front.log").read_text() == ""


@pytest.fixture(scope="module")
def front(upstream: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with _started(tmp_path_factory.mktemp("front"), upstream) as started:
        yield started


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_has_a_certificate_is_let_in(front: Front, version: ssl.TLSVersion) -> None:
    context = front.tls(front.client)
    context.minimum_version = context.maximum_version = version
    assert front.ask(context) == LARGE
    assert front.ask(context, "POST", LARGE) == sha256(LARGE).hexdigest().encode()


def test_a_connection_may_be_used_again(front: Front) -> None:
    connection = front.connection(front.tls(front.client))
    for words in (b"one", b"two", b"three"):
        connection.request("POST", "/", words)
        assert connection.getresponse().read() == sha256(words).hexdigest().encode()
    connection.close()


def test_when_one_side_ends_the_other_does(front: Front) -> None:
    context = front.tls(front.client)
    for _ in range(OWN_FILES):
        front.ask(context, "POST", b"and the client goes")
    eventually(lambda: _open_files(front.pid) <= OWN_FILES)
    with (
        socket.create_connection(("127.0.0.1", front.port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")  # after which the server goes
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert said.endswith(LARGE)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("who", ["nobody", "another authority's", "its own server's"])
def test_nobody_else_is_let_in(front: Front, who: str, version: ssl.TLSVersion) -> None:
    stranger = Authority("Clients").issue_client("stranger", front.folder)
    own = Leaf(front.folder / "server.pem", front.folder / "server.key")
    leaves = {"nobody": None, "another authority's": stranger, "its own server's": own}
    context = front.tls(leaves[who])
    context.minimum_version = context.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.ask(context)


def test_tls_1_1_is_refused(front: Front) -> None:
    """That a client of ours can speak it is shown in ``tests/e2e/test_transport.py``."""
    context = front.tls(front.client)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is deprecated is the point
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.ask(context)


def test_plain_http_is_refused(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=10)
    connection.request("GET", "/")
    with pytest.raises((http.client.BadStatusLine, ConnectionError)):
        connection.getresponse()
    connection.close()


def test_whoever_only_connects_keeps_nobody_out_for_long(front: Front) -> None:
    """As many as there is room for say nothing; a client behind them is answered when they are put off."""
    with ExitStack() as silent:
        for _ in range(tls_front.MOST_CONNECTIONS):
            silent.enter_context(socket.create_connection(("127.0.0.1", front.port), 10))
        assert front.ask(front.tls(front.client)) == LARGE


def test_it_takes_no_more_connections_than_it_has_room_for(front: Front) -> None:
    with ExitStack() as silent:
        for _ in range(tls_front.MOST_CONNECTIONS + 50):
            silent.enter_context(socket.create_connection(("127.0.0.1", front.port), 10))
        eventually(lambda: _open_files(front.pid) >= tls_front.MOST_CONNECTIONS)
        assert _open_files(front.pid) <= tls_front.MOST_CONNECTIONS + OWN_FILES
    eventually(lambda: _open_files(front.pid) <= OWN_FILES)


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_one_that_hangs_is_noticed(tmp_path: Path) -> None:
    with _started(tmp_path, free_port()) as front:
        answers = health.shakes_hands(front.port, front.ca, front.client)
        os.kill(front.pid, signal.SIGSTOP)
        assert not answers(front.pid)
        os.kill(front.pid, signal.SIGCONT)
        assert eventually(lambda: answers(front.pid))


def test_without_a_server_behind_it_the_connection_ends(tmp_path: Path) -> None:
    with _started(tmp_path, free_port()) as front, pytest.raises(ConnectionError):
        front.ask(front.tls(front.client))
