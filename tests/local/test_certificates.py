"""The local authorities and what they sign."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from local import certificates
from local.certificates import AUTHORITY_RENEWAL, LEAF_LIFE, LEAF_RENEWAL, Authority, Leaf, lasts


@pytest.fixture
def kept(tmp_path: Path) -> Authority:
    return Authority.kept("test", tmp_path / "ca.pem", tmp_path / "ca.key")


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost") -> None:
    """A handshake over a socket pair, and one byte after it, in which TLS 1.3 tells of a refused client."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as connection:
                connection.sendall(b"x")
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=name) as connection:
            assert connection.recv(1) == b"x"
    finally:
        ours.close()
        thread.join()


def _server(leaf: Leaf, client_ca: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.load_cert_chain(leaf.certificate, leaf.key)
    context.verify_mode = ssl.CERT_REQUIRED if client_ca else ssl.CERT_NONE
    return context


def _client(ca: Path, leaf: Leaf | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python 3.13 does so by itself
    if leaf:
        context.load_cert_chain(leaf.certificate, leaf.key)
    return context


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_server_certificate_names_every_way_to_this_machine(kept: Authority, tmp_path: Path, name: str):
    _shake_hands(_server(kept.issue_server("server", tmp_path)), _client(tmp_path / "ca.pem"), name)


def test_a_server_certificate_names_nothing_else(kept: Authority, tmp_path: Path):
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        _shake_hands(_server(kept.issue_server("server", tmp_path)), _client(tmp_path / "ca.pem"), "sanctum.example")


def test_the_authority_is_believed_about_this_machine_alone(
    kept: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(certificates, "LOOPBACK", ("10.0.0.1",))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        _shake_hands(_server(kept.issue_server("server", tmp_path)), _client(tmp_path / "ca.pem"), "10.0.0.1")


def test_a_client_certificate_opens_a_server_that_asks_for_it(kept: Authority, tmp_path: Path):
    clients = Authority("clients")
    clients.write_certificate(tmp_path / "clients.pem")
    server = _server(kept.issue_server("server", tmp_path), tmp_path / "clients.pem")
    backend = clients.issue_client("backend", tmp_path)
    _shake_hands(server, _client(tmp_path / "ca.pem", backend))
    stranger = Authority("clients").issue_client("stranger", tmp_path)
    for leaf in (None, stranger, kept.issue_client("of-the-server-ca", tmp_path)):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _shake_hands(server, _client(tmp_path / "ca.pem", leaf))


def test_a_server_certificate_does_not_make_a_client(kept: Authority, tmp_path: Path):
    server = _server(kept.issue_server("server", tmp_path), tmp_path / "ca.pem")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _shake_hands(server, _client(tmp_path / "ca.pem", kept.issue_server("other", tmp_path)))


def test_an_authority_that_is_not_kept_writes_its_key_nowhere(tmp_path: Path):
    authority = Authority("clients")
    authority.write_certificate(tmp_path / "clients.pem")
    leaf = authority.issue_client("backend", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"clients.pem", "backend.pem", "backend.key"}
    key = load_pem_private_key(leaf.key.read_bytes(), None)
    assert key.public_key() != authority.certificate.public_key()


def test_private_keys_are_readable_by_their_owner_alone(kept: Authority, tmp_path: Path):
    kept.issue_server("server", tmp_path)
    kept.issue_client("client", tmp_path)
    keys = list(tmp_path.glob("*.key"))
    assert len(keys) == 3
    assert all(key.stat().st_mode & 0o777 == 0o600 for key in keys)


def test_leaves_are_short_lived_and_new_each_time(kept: Authority, tmp_path: Path):
    first, second = (
        x509.load_pem_x509_certificate(kept.issue_server("server", tmp_path).certificate.read_bytes()) for _ in "12"
    )
    assert first.public_key() != second.public_key()
    assert second.not_valid_after_utc - datetime.now(UTC) <= LEAF_LIFE


def test_the_authority_stays_the_same(kept: Authority, tmp_path: Path):
    again = Authority.kept("test", tmp_path / "ca.pem", tmp_path / "ca.key")
    assert again.certificate == kept.certificate
    _shake_hands(_server(again.issue_server("server", tmp_path)), _client(tmp_path / "ca.pem"))


def test_who_trusts_the_authority_goes_on_when_it_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(certificates, "AUTHORITY_LIFE", AUTHORITY_RENEWAL - timedelta(days=1))
    old = Authority.kept("test", tmp_path / "ca.pem", tmp_path / "ca.key")
    (tmp_path / "trusted.pem").write_bytes(old.certificate.public_bytes(Encoding.PEM))
    monkeypatch.undo()
    renewed = Authority.kept("test", tmp_path / "ca.pem", tmp_path / "ca.key")
    assert renewed.certificate.not_valid_after_utc > old.certificate.not_valid_after_utc
    server = _server(renewed.issue_server("server", tmp_path))
    for ca in ("trusted.pem", "ca.pem"):
        _shake_hands(server, _client(tmp_path / ca))


def test_a_lost_key_makes_a_new_authority(kept: Authority, tmp_path: Path):
    (tmp_path / "ca.key").unlink()
    again = Authority.kept("test", tmp_path / "ca.pem", tmp_path / "ca.key")
    assert again.certificate != kept.certificate
    public = again.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    _shake_hands(_server(again.issue_server("server", tmp_path)), _client(tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    ("issued", "good"),
    [(timedelta(0), True), (LEAF_RENEWAL - LEAF_LIFE, False), (-2 * LEAF_LIFE, False), (LEAF_RENEWAL, False)],
    ids=["now", "about to end", "ended", "not yet valid"],
)
def test_a_leaf_lasts_while_it_is_valid_and_not_about_to_end(
    kept: Authority, tmp_path: Path, issued: timedelta, *, good: bool
) -> None:
    leaf = kept.issue_server("server", tmp_path, at=datetime.now(UTC) + issued)
    assert lasts(leaf.certificate) == good
